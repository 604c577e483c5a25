"""What IPython adds to Python: lines that only matter in front of a screen are left out, others are refused."""

from __future__ import annotations

import ast
import re

IGNORED = frozenset({"matplotlib", "config", "load_ext", "reload_ext", "autoreload", "precision"})
"""Magics of a notebook's display and of reloading modules: a program runs the same without them."""

_LINE = re.compile(r"^\s*%(?P<name>\w+)(?:\s|$)")
_OTHER = re.compile(r"^\s*(?:%%\w+|%\w+|!\s*\S|\?{1,2}\w|[\w.]+\?{1,2}\s*$)|^\s*[\w., ]+=\s*[%!]\s*\w")


def without(source: str) -> str:
    """The source with `pass` for each line that can be left out; lines keep their numbers."""
    if _error_line(source) is None:  # a % at the start of a line may be an operator, or text
        return source
    return "\n".join(_harmless(line) for line in source.split("\n"))


def first(source: str) -> tuple[int, str] | None:
    """The first line that is IPython's and not Python's, and its number from 1; None where there is none.

    Where Python stumbles over something else, that is not looked for: a line may begin with % for other reasons.
    """
    lines = without(source).split("\n")
    begin = next((number for number, line in enumerate(lines, 1) if line.strip()), 1)
    number = _error_line("\n".join(lines))
    if number is not None and lines[begin - 1].startswith("%%"):
        number = begin  # all of the cell is another language's
    if number is None or not _OTHER.match(lines[number - 1]):
        return None
    return number, lines[number - 1].strip()


def _harmless(line: str) -> str:
    match = _LINE.match(line)
    if match is None or match["name"] not in IGNORED:
        return line
    return line[: len(line) - len(line.lstrip())] + "pass"


def _error_line(source: str) -> int | None:
    """The line at which it is no Python, from 1; None where it is."""
    try:
        compile(source, "<cell>", "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        return min(error.lineno or 1, source.count("\n") + 1)
    except ValueError:  # a null byte
        return 1
    return None
