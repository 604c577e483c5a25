"""The pages of the project and the fenced blocks in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]
    if path.is_file()
)
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, its text, and the line at which the text starts."""

    language: str
    text: str
    line: int


_FILE = re.compile(r"# (horus\.toml|[\w-]+/[\w/]+\.py)\n")


def file_of(block):
    """The path of the file that a block shows, by its first line, `# horus.toml` or `# folder/file.py`; else None."""
    match = _FILE.match(block.text)
    return match[1] if match else None


def name(page):
    return page.relative_to(ROOT).as_posix()


def blocks(page, *languages):
    """The page's blocks in these languages, in order."""
    text = page.read_text(encoding="utf-8")
    found = [Block(m[1], m[2], text.count("\n", 0, m.start(2)) + 1) for m in _FENCE.finditer(text)]
    return [block for block in found if not languages or block.language in languages]


def indented(page):
    """The lines of the page that markdown shows as code because they are indented."""
    inside, before = False, ""
    lines = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = not inside
        elif not inside and line.startswith("    ") and (not before or before.startswith("    ")):
            lines.append(line.strip())
        before = line
    return lines
