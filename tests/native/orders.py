"""Holds the tables of memory orders in docs/protocol.md, section 6, against every atomic access of the C.

A row says: this memory, accessed in this way, in these functions, with this order. Each access of the C must
have its row, and each function of each row its access. `orders.py` prints what differs, `--list` what there is.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "horus_core/native/src"
PROTOCOL = ROOT / "docs/protocol.md"
PARTS = {
    "member": ("member", "index"),
    "pool": ("pool",),
    "ring": ("ring", "send", "recv", "observe", "rows"),
}
APART = (
    "flight",
    "watchdog",
)  # no protocol between processes: one writes, and readers believe nothing (flight.h)
ACCESS = re.compile(
    r"\b(?:horus_(?P<kind>load|store|cas|fence)_(?P<order>relaxed|acquire|release|acq_rel|seq_cst)"
    r"|__atomic_(?P<builtin>\w+))\("
)
PARAMETERS = {
    "slot": "payload",
    "to": "node",
    "from": "node",
}  # pointers to what has another name in the tables
KINDS = {
    "cas": "swap",
    "exchange_n": "exchange",
    "fetch_and": "and",
    "fetch_or": "or",
    "fetch_add": "add",
    "add_fetch": "add",
}


class Access(NamedTuple):
    """One kind of access of one function to one memory."""

    part: str
    memory: str
    kind: str
    function: str
    order: str


def part_of(path: Path) -> str | None:
    """The part of the protocol that a file implements."""
    for part, stems in PARTS.items():
        if path.stem.startswith(stems):
            return part
    return None


def without_comments(source: str) -> str:
    """The source without comments and without lines of the preprocessor."""
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    return re.sub(r"^#(?:.*\\\n)*.*$", "", source, flags=re.MULTILINE)


def functions(source: str) -> Iterator[tuple[str, str]]:
    """Name and text of each function; the house's format closes it with a brace in the first column."""
    source = without_comments(source)
    for match in re.finditer(r"^[a-z][\w \*]*?\b(\w+)\(([^;{}]*)\)\s*\{", source, re.MULTILINE):
        end = source.find("\n}", match.end())
        yield match.group(1), source[match.start() : end]


def arguments(text: str, start: int) -> list[str]:
    """The arguments of the call whose parenthesis is open at `start`."""
    found, depth, last = [], 0, start
    for at in range(start, len(text)):
        if text[at] in ",)" and depth == 0:
            found.append(text[last:at].strip())
            last = at + 1
            if text[at] == ")":
                break
        depth += (text[at] in "([") - (text[at] in ")]")
    return found


def without_nested(text: str) -> str:
    """The text without what stands in brackets and parentheses."""
    while (shorter := re.sub(r"\[[^][]*\]|\([^()]*\)", "", text)) != text:
        text = shorter
    return text


def memory_of(pointer: str, function: str) -> str:
    """The field that a pointer is of; a local pointer is what it was made from."""
    bare = without_nested(pointer)
    name: str = re.findall(r"\w+", bare)[-1]
    if bare.removeprefix("&") == name:
        made = re.search(rf"\*{name} = (&[^;]+);", function)
        if made:
            return memory_of(without_nested(made.group(1)).split(",")[0], function)
        return PARAMETERS.get(name, name)
    return name


def accesses_of(source: str, part: str) -> Iterator[Access]:
    """All atomic accesses of a file."""
    for name, text in functions(source):
        for match in ACCESS.finditer(text):
            given = arguments(text, match.end())
            kind, order = match["kind"], match["order"]
            if match["builtin"]:
                kind = match["builtin"]
                order = given[-1].removeprefix("__ATOMIC_").lower()
            memory = "fence" if kind == "fence" else memory_of(given[0], text)
            yield Access(part, memory, KINDS.get(kind, kind), name, order)


def in_code() -> set[Access]:
    """What the sources do."""
    found = set()
    for path in sorted(SOURCES.glob("*.[ch]")):
        source, part = path.read_text(encoding="utf-8"), part_of(path)
        if part is not None:
            found |= set(accesses_of(source, part))
        elif ACCESS.search(source) and not path.stem.startswith(APART):
            raise SystemExit(f"{path}: expected atomics in {sorted(PARTS)} alone")
    return found


def in_tables() -> set[Access]:
    """What section 6 says."""
    section = PROTOCOL.read_text(encoding="utf-8").split("\n## 6.")[1].split("\n## 7.")[0]
    found = set()
    for part, table in re.findall(r"^### The (\w+)\n(.*?)(?=^### |\Z)", section, re.DOTALL | re.MULTILINE):
        for row in re.findall(r"^\| `.*", table, re.MULTILINE):
            memories, kinds, where, order = (cell.strip() for cell in row.strip("| ").split("|")[:4])
            found |= {
                Access(part, memory, kind, function, order)
                for memory in re.findall(r"`(\w+)`", memories)
                for kind in re.split(r", ", kinds)
                for function in re.findall(r"`(\w+)`", where)
            }
    return found


def differences() -> list[str]:
    """What stands in one of both alone."""
    code, tables = in_code(), in_tables()
    return [f"not in docs/protocol.md: {access}" for access in sorted(code - tables)] + [
        f"not in the code: {access}" for access in sorted(tables - code)
    ]


def main() -> int:
    """Print what differs; 1 when something does."""
    if "--list" in sys.argv:
        for access in sorted(in_code()):
            print(*access)
        return 0
    found = differences()
    print("\n".join(found) or "the tables say what the code does")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
