"""Text of others in a terminal: what could steer it or forge a line is made visible, and how wide it is."""

from __future__ import annotations

import unicodedata

_ASKEW = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control characters, also those that turn the direction of text


def plain(text: str) -> str:
    """Lines that somebody else wrote; they stay lines."""
    return "\n".join("\t".join(map(plain_name, line.split("\t"))) for line in text.split("\n"))


def plain_name(text: str) -> str:
    """The same for what stands in one line."""
    if text.isprintable():
        return text
    return "".join(f"\\x{ord(one):02x}" if unicodedata.category(one) in _ASKEW else one for one in text)


def columns(character: str) -> int:
    """How many columns of a terminal it takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
