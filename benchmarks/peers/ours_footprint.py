"""HORUS: prints what a process that runs one node weighs, and which heavy modules it loaded.

A program of its own without the others' helpers: what they import would be weighed, too.
"""

import sys

import horus


def resident_kib() -> int:
    """What the process has in memory, in KiB."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib weighs, too
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def tick(node: horus.Node) -> None:
    node.send("cmd_vel", horus.CmdVel(linear=1.0))
    loaded = [name for name in ("numpy", "asyncio", "pluggy", "importlib_metadata") if name in sys.modules]
    print("resident", resident_kib(), *loaded, flush=True)


horus.run(horus.Node("bench", tick=tick, pubs={"cmd_vel": horus.CmdVel}, rate=100), duration=0)
