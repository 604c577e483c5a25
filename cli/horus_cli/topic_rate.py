"""`horus topic hz` and `horus topic bw`: how often a topic is published, and how much that is."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from horus_cli.options import Number, current_namespace, json_option, namespace_option
from horus_cli.output import print_json, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from horus_plugins.monitor.topic_meter import Rate


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


@click.command()
@following
@click.pass_context
def hz(
    ctx: click.Context,
    topic: str,
    window_s: float,
    messages: int | None,
    duration_s: float | None,
    as_json: bool,
) -> None:
    """Show once a second how often TOPIC is published, until Ctrl+C.

    Counts are exact at any rate; intervals are those of the publish times that were still in the topic's ring when
    it was looked at, 50 times a second. Takes no part: publishers and subscribers see and feel nothing of it.

    Examples:
      horus topic hz imu                     a line a second
      horus topic hz imu --window 1          of the last second only
      horus topic hz imu -n 100 --json       one object a second, the last after 100 messages
      horus topic hz imu --duration 5        exits with 1 when nothing came
    """
    from horus_plugins.monitor import topic_lines  # noqa: PLC0415 - not needed for --help

    _follow(ctx, topic, window_s, messages, duration_s, None if as_json else topic_lines.hz)


@click.command()
@following
@click.pass_context
def bw(
    ctx: click.Context,
    topic: str,
    window_s: float,
    messages: int | None,
    duration_s: float | None,
    as_json: bool,
) -> None:
    """Show once a second how many bytes a second TOPIC carries, until Ctrl+C.

    Bytes are those of the messages: a typed one's as it travels, a dict's as MessagePack, an image's pixels. They are
    read from the headers in the topic's ring; no payload is copied.

    Examples:
      horus topic bw camera.rgb              a line a second
      horus topic bw scan --duration 3       for three seconds
    """
    from horus_plugins.monitor import topic_lines  # noqa: PLC0415 - not needed for --help

    _follow(ctx, topic, window_s, messages, duration_s, None if as_json else topic_lines.bw)


def _follow(
    ctx: click.Context,
    topic: str,
    window_s: float,
    messages: int | None,
    duration_s: float | None,
    told: Callable[[Rate], Iterable[str]] | None,
) -> None:
    """`told` None: as JSON."""
    from horus_plugins.monitor import topic_meter  # noqa: PLC0415 - not needed for --help

    where, name = where_to_look(topic)
    meter = topic_meter.Meter(where, name, window_s)
    news, total = News(where), 0
    for report in meter.reports(messages=messages, duration_s=duration_s):
        there = report.state not in {topic_meter.MISSING, topic_meter.UNREADABLE}
        news.tell(report.topic, there=there, anew=report.anew, error=report.error)
        total = report.total
        if told is None:
            print_json(report)
        else:
            for line in told(report):
                click.echo(line)
    ctx.exit(0 if total else 1)


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
