"""What IPython adds to Python: lines that only matter in front of a screen are left out, others are refused."""

from __future__ import annotations

import ast
import re

IGNORED = frozenset({"matplotlib", "config", "load_ext", "reload_ext", "autoreload", "precision"})
"""Magics of a notebook's display and of reloading modules: a program runs the same without them."""

_LINE = re.compile(r"^\s*%(?P<name>\w+)")
_OTHER = re.compile(r"^\s*(?:%%\w+|%\w+|!\s*\S|\?{1,2}\w|[\w.]+\?{1,2}\s*$)|^\s*[\w., ]+=\s*[%!]\s*\w")


def without(source: str) -> str:
    """The source with `pass` for each line that can be left out; lines keep their numbers."""
    if _parses(source):  # a % at the start of a line may be an operator, or text
        return source
    return "\n".join(_harmless(line) for line in source.split("\n"))


def first(source: str) -> tuple[int, str] | None:
    """The first line that is IPython's and not Python's, and its number from 1; None where there is none."""
    if _parses(without(source)):
        return None
    for number, line in enumerate(without(source).split("\n"), 1):
        if _OTHER.match(line):
            return number, line.strip()
    return None


def _harmless(line: str) -> str:
    match = _LINE.match(line)
    if match is None or match["name"] not in IGNORED:
        return line
    return line[: len(line) - len(line.lstrip())] + "pass"


def _parses(source: str) -> bool:
    try:
        compile(source, "<cell>", "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError):
        return False
    return True
