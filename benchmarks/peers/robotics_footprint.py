"""horus-robotics: what ours_footprint.py does."""

import sys

import horus

DONE = []


def resident_kib() -> int:
    """What the process has in memory, in KiB."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib weighs, too
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def tick(node: horus.Node) -> None:
    node.send("cmd_vel", horus.CmdVel(1.0, 0.5))
    if not DONE:
        DONE.append(resident_kib())
        print(
            "resident", DONE[0], *[name for name in ("numpy", "asyncio") if name in sys.modules], flush=True
        )
    node.request_stop()


horus.run(horus.Node(name="bench", tick=tick, pubs={"cmd_vel": horus.CmdVel}, rate=100), duration=1.0)
