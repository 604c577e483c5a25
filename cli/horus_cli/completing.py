"""What there is, for shells to complete: topics and nodes of the namespace, launched sessions. Nothing on trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.errors import HorusError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click


def topics(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Topic names; HORUS's own only for who has begun to write them."""
    from horus_core.shm import namespace  # noqa: PLC0415 - not needed for --help

    try:
        regions = namespace.regions(namespace.current())
    except (HorusError, OSError):
        return []
    found = (name for name in map(namespace.topic_of, regions) if name is not None)
    own = incomplete.startswith(("_", "horus."))
    return _matching(
        (name for name in found if own or not name.startswith(("_horus.", "horus."))), incomplete
    )


def nodes(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of nodes, by their presence files."""
    from horus_core.shm import namespace  # noqa: PLC0415 - not needed for --help

    try:
        folder = namespace.path(namespace.current()) / "nodes"
        return _matching((file.stem for file in folder.glob("*.json")), incomplete)
    except (HorusError, OSError):
        return []


def _matching(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete) and name.isprintable())
