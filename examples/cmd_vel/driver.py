"""Drives in a circle of half a metre: typed messages, 50 times a second."""

import time

import horus


def tick(node: horus.Node) -> None:
    node.send("cmd_vel", horus.CmdVel(linear=0.5, angular=1.0, timestamp_ns=time.monotonic_ns()))


node = horus.Node("driver", pubs=[horus.CmdVel], tick=tick, rate=50)

if __name__ == "__main__":
    horus.run(node)
