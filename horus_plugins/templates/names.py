"""From the name that a user gives to those of the folder, the distribution, the module and the class."""

from __future__ import annotations

import keyword
import re
from typing import NamedTuple

from horus_core.errors import ConfigError, InvalidNameError

MOST = 40
"""Characters of a name: what is made of it is the name of files, topics and sockets."""
_PREFIX = "horus-"
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", re.ASCII)
_RESERVED = {"core", "plugins", "cli"}  # horus-core, horus_plugins, horus_cli are HORUS's own


class Names(NamedTuple):
    """What is made of a name like `line-follower`."""

    name: str
    """line-follower"""
    distribution: str
    """horus-line-follower"""
    module: str
    """horus_line_follower"""
    cls: str
    """LineFollower"""
    topic: str
    """line_follower"""

    def placeholders(self) -> dict[str, str]:
        """By placeholder: what stands for it."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "module": self.module,
            "Class": self.cls,
            "topic": self.topic,
            "NAME": self.topic.upper(),
        }


def names(said: str) -> Names:
    """What is made of a name; `horus-` in front of it may be left out. Raises InvalidNameError with the rule."""
    name = said.removeprefix(_PREFIX).removeprefix("horus_")
    if not _NAME.fullmatch(name) or len(name) > MOST:
        raise InvalidNameError(
            f"Bad name: expected 1 to {MOST} characters of a-z 0-9, a letter first, with - or _ between words, got "
            f"{said[: 2 * MOST]!r}.{_hint(name)} Choose another name."
        )
    plain = name.replace("-", "_")
    cls = "".join(word[0].upper() + word[1:] for word in plain.split("_"))
    if plain in _RESERVED or name == "horus" or keyword.iskeyword(cls):
        raise InvalidNameError(
            f"Bad name: expected one that is nobody's, got {said!r}, which is taken by HORUS or Python. "
            f"Choose another name."
        )
    return Names(name, _PREFIX + plain.replace("_", "-"), f"horus_{plain}", cls, plain)


def refuse_taken(entry: str, taken: set[str], what: str) -> None:
    """Raise ConfigError for a name that HORUS has: its own would be used, never the plugin's."""
    if entry in taken:
        raise ConfigError(
            f"Making a plugin of kind {what!r} failed: expected a name that HORUS has not, got {entry!r}, which is "
            f"one of its own. Choose another name."
        )


def _hint(name: str) -> str:
    near = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
    fits = name.isascii() and near != name and _NAME.fullmatch(near) and len(near) <= MOST
    return f" {near!r} would do." if fits else ""
