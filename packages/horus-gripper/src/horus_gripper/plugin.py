"""The door through which HORUS finds the messages by name, as `horus msg show GripperState` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import horus
from horus_gripper.messages import GripperCommand, GripperState

if TYPE_CHECKING:
    from collections.abc import Callable

HORUS_PLUGIN_API = 1


@horus.hookimpl
def horus_register_messages(register: Callable[[type[horus.Message]], None]) -> None:
    """Supply the two messages."""
    register(GripperCommand)
    register(GripperState)
