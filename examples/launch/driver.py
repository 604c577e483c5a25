"""A simulated robot: it follows `cmd_vel` and publishes its `pose`. In the fleet these are r1/cmd_vel and r1/pose."""

import math

import horus

label = horus.RuntimeParams().get("label", default="robot")


class Driver(horus.Node):
    def __init__(self) -> None:
        super().__init__("driver", subs=[horus.CmdVel], pubs={"pose": horus.Pose2D})
        self.pose = horus.Pose2D()
        self.command = horus.CmdVel()

    def init(self) -> None:
        self.log_info(f"{label} drives")

    def tick(self) -> None:
        self.command = self.recv("cmd_vel") or self.command
        step = horus.dt()
        theta = self.pose.theta + self.command.angular * step
        self.pose = horus.Pose2D(
            x=self.pose.x + self.command.linear * step * math.cos(theta),
            y=self.pose.y + self.command.linear * step * math.sin(theta),
            theta=theta,
        )
        self.send("pose", self.pose)


if __name__ == "__main__":
    horus.run(Driver())
