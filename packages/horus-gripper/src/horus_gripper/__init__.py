"""Messages for grippers: `from horus_gripper import GripperCommand, GripperState`."""

from horus_gripper.messages import GripperCommand, GripperState, GripStatus

__all__ = ["GripStatus", "GripperCommand", "GripperState"]
