"""What `horus topic hz`, `bw` and `delay` have in common: their options, and what becomes of the topic meanwhile."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from horus_cli.options import Number, current_namespace, json_option, namespace_option
from horus_cli.output import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def following(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what all followers of figures have: how far back, and until when."""

    @click.argument("topic")
    @click.option(
        "--window",
        "window_s",
        type=Number(0.1, 3600),
        default=10.0,
        metavar="SECONDS",
        help="How far back each line looks. Default: 10.",
    )
    @click.option("-n", "messages", type=click.IntRange(1), metavar="N", help="End after N messages.")
    @click.option(
        "--duration",
        "duration_s",
        type=Number(0, 1e9, min_open=True),
        metavar="SECONDS",
        help="End after that long. Exits with 1 when no message came.",
    )
    @json_option
    @namespace_option
    @wraps(function)
    def command(*args: Any, **keywords: Any) -> Any:
        return function(*args, **keywords)

    return command


def where_to_look(topic: str) -> tuple[str, str]:
    """(namespace, topic); what is not there yet will be waited for, which is said."""
    from horus_core import names  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import topic_find  # noqa: PLC0415

    where, name = current_namespace(), names.topic_name(topic)
    if not topic_find.exists(where, name):
        click.echo(f"horus: {topic_find.missing(where, name)} Waiting for it.", err=True)
    return where, name


class News:
    """Says on stderr what becomes of the topic itself, once."""

    def __init__(self, where: str) -> None:
        self._where, self._was_there, self._error = where, False, ""

    def tell(self, topic: str, *, there: bool, anew: bool, error: str) -> None:
        """How it stands now."""
        for line in self._lines(topic, there=there, anew=anew, error=error):
            click.echo(f"horus: {line}", err=True)
        self._was_there, self._error = there, error

    def _lines(self, topic: str, *, there: bool, anew: bool, error: str) -> Iterable[str]:
        if anew:
            yield f"topic {topic!r} was made {'anew' if self._was_there else 'now'}."
        elif self._was_there and not there and not error:
            yield f"topic {topic!r} is gone from namespace {self._where!r}. Waiting for it."
        if error and not self._error:
            yield f"topic {topic!r} cannot be read: {safe(error)}"

    def end(self, ctx: click.Context, topic: str, messages: int) -> None:
        """Exit with 1 when no message came; that a topic never was there, nothing else has told."""
        if not messages and not self._was_there:
            click.echo(f"horus: no message came: there is no topic {topic!r}.", err=True)
        ctx.exit(0 if messages else 1)
