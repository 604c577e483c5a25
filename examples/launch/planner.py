"""Drives its robot in a circle; the radius is a parameter of the whole fleet."""

import horus

RADIUS = horus.RuntimeParams().get("radius", default=1.0)


def tick(node: horus.Node) -> None:
    if node.recv("pose"):
        node.send("cmd_vel", horus.CmdVel(linear=0.5, angular=0.5 / RADIUS))


node = horus.Node("planner", subs={"pose": horus.Pose2D}, pubs=[horus.CmdVel], tick=tick, rate=10)

if __name__ == "__main__":
    horus.run(node)
