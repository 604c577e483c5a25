"""What an unquoted word is: the rules of YAML 1.2, and an error where those of 1.1 say something else.

YAML 1.1 reads `on`, `no` and `y` as booleans, `0123` as 83 and `1_000` as 1000; YAML 1.2, JSON and people do not.
What a file means by them nobody can know: it has to be written so that all read the same.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_plugins.launch.file.values import Plain

_WORDS: dict[str, Plain] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL = re.compile(r"0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_OLD_BOOL = re.compile(r"y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
_OLD_NUMBER = re.compile(
    r"[-+]?0[0-9_]+|[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?|0b[01_]+|0x[0-9a-fA-F_]*_[0-9a-fA-F_]*"
)
_LARGEST = 2**64
_SMALLEST = -(2**63)


def resolve(text: str) -> Plain:
    """What the word is. Raises ValueError, with what to write instead, for one that readers of YAML disagree on."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return _in_range(int(text), text)
    if _HEX.fullmatch(text) or _OCTAL.fullmatch(text):
        return _in_range(int(text, 0), text)
    if _OLD_BOOL.fullmatch(text):
        boolean = "true" if text.lower() in ("y", "yes", "on") else "false"
        raise ValueError(
            f"expected a value that is read in one way, got {text}, a boolean in YAML 1.1 and text in 1.2. "
            f'Write {boolean}, or "{text}" in quotes.'
        )
    if _OLD_NUMBER.fullmatch(text):
        raise ValueError(
            f"expected a value that is read in one way, got {text}, a number to some and text to others. "
            f'Write it as a plain number, or "{text}" in quotes.'
        )
    if _FLOAT.fullmatch(text):
        return _finite(float(text), text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"expected a finite number, got {text}.")
    return text


def _in_range(number: int, text: str) -> int:
    if not _SMALLEST <= number < _LARGEST:
        raise ValueError(
            f'expected an integer of at most 64 bits, got {text}. Write "{text}" in quotes for text.'
        )
    return number


def _finite(number: float, text: str) -> float:
    if not math.isfinite(number):
        raise ValueError(
            f'expected a number that a double can hold, got {text}. Write "{text}" in quotes for text.'
        )
    return number
