"""Controller: drives on while nobody is close, 50 times a second, and shows how the pipeline does."""

import time

import options
from status import Status

import horus

# How fast the robot drives when nothing is in its way, in m/s.
CRUISE_SPEED = 0.5
# Detections come every 0.1 s. Without a new one for this long, in seconds, the robot is blind and stops.
BLIND_AFTER = 0.5


class Controller:
    """Turns the latest detection into a speed."""

    def __init__(self) -> None:
        self._closest = 0.0  # unknown is as good as close

    def tick(self, node: horus.Node) -> None:
        for seen in node.recv_all("detections"):
            self._closest = seen["closest_distance"]
        blind = node.is_stale("detections", max_age=BLIND_AFTER)
        speed = 0.0 if blind or self._closest < options.STOP_DISTANCE else CRUISE_SPEED
        node.send("cmd_vel", horus.CmdVel(linear=speed, angular=0.0, timestamp_ns=time.monotonic_ns()))


def main() -> None:
    asked = options.parse("Drive, stop for what is close.")
    controller = horus.Node(
        "controller", subs=["detections"], pubs=[horus.CmdVel], tick=Controller().tick, rate=50
    )
    status = Status()
    status_node = horus.Node(
        "status", tick=status.tick, init=status.init, shutdown=status.shutdown, rate=1, order=200
    )
    horus.run(controller, status_node, duration=asked.duration)


if __name__ == "__main__":
    main()
