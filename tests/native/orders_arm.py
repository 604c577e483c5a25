"""Holds the tables of memory orders against the instructions that the C becomes on aarch64.

Each function is compiled by itself; the kinds of its ordering instructions must be those that its rows in the
tables ask for, no fewer and no more, with exclusive pairs (ARMv8.0) and with single instructions (ARMv8.1).
Arguments are names of files; all when there is none.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import orders

COMPILER = "aarch64-linux-gnu-gcc"
APART = ("-fno-inline", "-fno-partial-inlining", "-fno-ipa-cp", "-fno-ipa-sra")  # functions keep their names
FLAGS = ("-std=gnu11", "-O2", *APART, "-mno-outline-atomics")
VARIANTS = ("armv8-a+nolse", "armv8.1-a")
ORDERING = re.compile(
    r"(?:ldar|ldapr|ldaxr|ldxr|stlr|stlxr|stxr)[bh]?$|(?:cas|swp|(?:ld|st)(?:add|set|clr))(?:al|a|l)?$"
)
SINGLE = {"swap": "cas", "exchange": "swp", "or": "ldset", "and": "ldclr", "add": "ldadd"}
SUFFIX = {"relaxed": "", "acquire": "a", "release": "l", "acq_rel": "al", "seq_cst": "al"}


def wanted(access: orders.Access, variant: str) -> set[str]:
    """The instructions that one access becomes."""
    acquire = access.order in {"acquire", "acq_rel", "seq_cst"}
    release = access.order in {"release", "acq_rel", "seq_cst"}
    if access.kind == "fence":
        return {"dmb ishld" if access.order == "acquire" else "dmb ish"}
    if access.kind == "load":
        return {"ldar"} if acquire else set()
    if access.kind == "store":
        return {"stlr"} if release else set()
    if variant.endswith("nolse"):
        return {"ldaxr" if acquire else "ldxr", "stlxr" if release else "stxr"}
    return {SINGLE[access.kind] + SUFFIX[access.order]}


def compiled(source: Path, variant: str, folder: Path) -> dict[str, set[str]]:
    """The ordering instructions of each function of a file."""
    target = folder / "core.o"
    include = orders.ROOT / "horus_core/native/include"
    command = [COMPILER, *FLAGS, f"-march={variant}", f"-I{include}", "-c", str(source), "-o", str(target)]
    subprocess.run(command, check=True)
    dump = ["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", str(target)]
    text = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    found: dict[str, set[str]] = defaultdict(set)
    name = ""
    for line in text.splitlines():
        if start := re.match(r"[0-9a-f]+ <(\w+)[\w.]*>:", line):
            name = start[1]
            found[name] = set()
        elif code := re.match(r"\s+[0-9a-f]+:\s+(\w+)\s*(\w*)", line):
            if code[1] == "dmb":
                found[name].add(f"dmb {code[2]}")
            elif ORDERING.match(code[1]):
                found[name].add(code[1].rstrip("bh"))
    return found


def main() -> int:
    """Print what differs; 1 when something does."""
    wrong: list[str] = []
    looked_at: set[tuple[str, str]] = set()
    with tempfile.TemporaryDirectory() as folder:
        for variant in VARIANTS:
            expected: dict[str, set[str]] = defaultdict(set)
            for access in orders.in_tables():
                expected[access.function] |= wanted(access, variant)
            for source in sorted(orders.SOURCES.glob("*.c")):
                if orders.part_of(source) is None or (sys.argv[1:] and source.name not in sys.argv):
                    continue
                for function, found in compiled(source, variant, Path(folder)).items():
                    if expected[function]:
                        looked_at.add((source.name, function))
                    if found != expected[function]:
                        asked, got = sorted(expected[function]), sorted(found)
                        wrong.append(f"{variant} {source.name} {function}: expected {asked}, got {got}")
    said = f"{len(looked_at)} functions, each in {len(VARIANTS)} instruction sets: each order became its instruction"
    print("\n".join(wrong) or said)
    return bool(wrong) or not looked_at


if __name__ == "__main__":
    sys.exit(main())
