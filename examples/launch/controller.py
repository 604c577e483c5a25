"""Stops for what is close, else drives; both figures are parameters of the launch file."""

import horus

params = horus.RuntimeParams()
CRUISE_SPEED = params.get("cruise_speed", default=0.5)
STOP_DISTANCE = params.get("stop_distance", default=1.0)


def tick(node: horus.Node) -> None:
    seen = node.recv("detections")
    if seen is None:
        return
    free = seen["closest_distance"] >= STOP_DISTANCE
    node.send("cmd_vel", horus.CmdVel(linear=CRUISE_SPEED if free else 0.0))


node = horus.Node("controller", subs=["detections"], pubs=[horus.CmdVel], tick=tick, rate=50)

if __name__ == "__main__":
    horus.run(node)
