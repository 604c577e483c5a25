"""The words of a log line: names of levels, and texts that cannot pass for other lines."""

from __future__ import annotations

import logging
import re

NAMES = ("debug", "info", "warning", "error", "critical")
_NUMBERS = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
_INDENT = "\n    "
# Controls, what turns the direction of writing round, line ends other than \n, and halves of characters.
_HARMFUL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def name_of(level: int) -> str:
    """The name of the highest level that is not above the number: debug, info, warning, error or critical."""
    return NAMES[sum(level >= number for number in _NUMBERS)]


def visible(text: str) -> str:
    """The text with control characters, direction marks and the like as escapes; tabs and line ends stay."""
    if text.isprintable():
        return text
    return _HARMFUL.sub(lambda found: _escape(found[0]), text.replace("\r\n", "\n"))


def laid_out(text: str, trace: str = "") -> str:
    """The same, its further lines and those of the traceback indented: no text can forge the start of a line."""
    whole = f"{text}\n{trace.rstrip()}" if trace else text
    return visible(whole).replace("\n", _INDENT)


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
