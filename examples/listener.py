"""Smallest subscriber: prints what the talker says."""

import horus


def tick(node: horus.Node) -> None:
    if node.has_msg("computer.load"):
        heard = node.recv("computer.load")
        print(f"{heard['host']}: load {heard['load']:.2f}", flush=True)


node = horus.Node("listener", subs=["computer.load"], tick=tick, rate=10)

if __name__ == "__main__":
    horus.run(node)
