"""Text of others: with what could steer a terminal or forge a line made visible."""

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
