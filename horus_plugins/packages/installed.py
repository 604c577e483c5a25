"""The packaged nodes that are installed, and what a user's word names among them. Nothing of them is imported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from horus_core.errors import LaunchError
from horus_core.plugins import discovery

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP = "horus.nodes"


@dataclass(frozen=True)
class PackagedNode:
    """One entry point: a function that makes a node, or several."""

    name: str
    value: str
    """Where the function stands: module:name."""


@dataclass(frozen=True)
class Package:
    """A distribution with packaged nodes, or some of these."""

    distribution: str
    version: str
    nodes: tuple[PackagedNode, ...]

    @property
    def words(self) -> list[str]:
        """Each of its nodes as `distribution:node`."""
        return [f"{self.distribution}:{node.name}" for node in self.nodes]


def packages(*, disabled: bool = True) -> list[Package]:
    """All that are installed, by name; without `disabled` those that may be used."""
    wanted = [one for one in discovery.entry_points(GROUP) if disabled or one.disabled_by is None]
    plugins = sorted(wanted, key=lambda one: (_plain(one.distribution), one.name))
    found = []
    for _, group in groupby(plugins, key=lambda one: _plain(one.distribution)):
        members = list(group)
        nodes = tuple(PackagedNode(one.name, one.value) for one in members)
        found.append(Package(members[0].distribution, members[0].version, nodes))
    return found


def find(word: str) -> Package | None:
    """What the word names: a distribution (all of its nodes), a node, or `distribution:node`; None for nothing.

    Raises LaunchError when that is not one thing.
    """
    found = [part for package in packages() if (part := _named(package, word)) is not None]
    if len(found) > 1:
        both = " and ".join(f"{one.distribution} {one.version}" for one in found)
        choice = " or ".join(repr(one.words[0]) for one in found)
        raise LaunchError(
            f"Running {word!r} failed: expected one distribution to have it, got {both}. Write {choice}, or "
            f"uninstall one."
        )
    return found[0] if found else None


def split(word: str) -> tuple[str, str]:
    """(distribution or "", node) of `distribution:node`. No distribution has a colon in its name; a node may."""
    distribution, colon, node = word.partition(":")
    return (distribution, node) if colon else ("", word)


def known_words() -> list[str]:
    """All that find() takes, for a hint to who mistyped."""
    return sorted(
        {
            word
            for package in packages()
            for word in (package.distribution, *package.words, *(n.name for n in package.nodes))
        }
    )


def _named(package: Package, word: str) -> Package | None:
    """The part of the package that the word names."""
    if _plain(word) == _plain(package.distribution):
        _refuse_twice(package, package.nodes)
        return package
    distribution, node = split(word)
    if distribution and _plain(distribution) != _plain(package.distribution):
        return None
    nodes = tuple(one for one in package.nodes if one.name == node)
    _refuse_twice(package, nodes)
    return Package(package.distribution, package.version, nodes) if nodes else None


def _refuse_twice(package: Package, nodes: Iterable[PackagedNode]) -> None:
    seen: dict[str, str] = {}
    for node in nodes:
        if node.name in seen:
            raise LaunchError(
                f"Running {package.distribution} failed: expected each name in its group {GROUP!r} once, got "
                f"{node.name!r} twice ({seen[node.name]}, {node.value}). That is for its author to mend."
            )
        seen[node.name] = node.value


def _plain(distribution: str) -> str:
    """A distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
