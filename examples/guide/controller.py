"""The guide's controller: stops for what is closer than a metre."""

import horus


def tick(node: horus.Node) -> None:
    seen = node.recv("detections")
    if seen is None:
        return
    if seen["closest_distance"] < 1.0:
        node.send("cmd_vel", horus.CmdVel(linear=0.0, angular=0.0))
    else:
        node.send("cmd_vel", horus.CmdVel(linear=0.5, angular=0.0))


node = horus.Node("controller", subs=["detections"], pubs=[horus.CmdVel], tick=tick, rate=50)

if __name__ == "__main__":
    horus.run(node)
