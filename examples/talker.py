"""Smallest publisher: the computer's load, ten times a second."""

import os
import platform

import horus


def tick(node: horus.Node) -> None:
    node.send("computer.load", {"load": os.getloadavg()[0], "host": platform.node()})


node = horus.Node("talker", pubs=["computer.load"], tick=tick, rate=10)

if __name__ == "__main__":
    horus.run(node)
