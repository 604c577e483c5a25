"""Removing by hand what no living process uses."""

from __future__ import annotations

import msgspec

from horus_core.shm import cleaner, namespace


class Cleaned(msgspec.Struct):
    """What was removed, or would be."""

    namespaces: list[str]
    dry_run: bool
    removed: list[str]
    """As it stands, or stood, in /dev/shm."""


def clean(*, everywhere: bool, dry_run: bool) -> Cleaned:
    """Remove it from the current namespace, or from all of this user's; records, too."""
    where = namespace.mine() if everywhere else [namespace.current()]
    return Cleaned(where, dry_run, cleaner.clean(where, records=True, dry_run=dry_run))
