"""The words of a log line: names of levels, and texts that cannot pass for other lines."""

from __future__ import annotations

import logging

from horus_core.text import plain

NAMES = ("debug", "info", "warning", "error", "critical")
_NUMBERS = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
_INDENT = "\n    "


def name_of(level: int) -> str:
    """The name of the highest level that is not above the number: debug, info, warning, error or critical."""
    return NAMES[sum(level >= number for number in _NUMBERS)]


def laid_out(text: str, trace: str = "") -> str:
    """A text that cannot forge a line: controls made visible, its further lines and the traceback's indented."""
    whole = f"{text}\n{trace.rstrip()}" if trace else text
    return plain(whole.replace("\r\n", "\n")).replace("\n", _INDENT)
