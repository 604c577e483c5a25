"""Sees all robots of the fleet, by the whole names of their topics."""

import horus

ROBOTS = horus.RuntimeParams().get("robots", default=["r1"])


def tick(node: horus.Node) -> None:
    poses = {robot: node.latest(f"{robot}/pose") for robot in ROBOTS}
    seen = ", ".join(f"{robot} at {pose.x:.2f} {pose.y:.2f}" for robot, pose in poses.items() if pose)
    print(seen or "no robot yet", flush=True)


node = horus.Node("dispatcher", subs=[f"{robot}/pose" for robot in ROBOTS], tick=tick, rate=1)

if __name__ == "__main__":
    horus.run(node)
