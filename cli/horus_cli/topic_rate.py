"""`horus topic hz` and `horus topic bw`: how often a topic is published, and how much that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.output import print_json
from horus_cli.topic_following import News, following, where_to_look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from horus_plugins.monitor.topic_meter import Rate


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
    news.end(ctx, name, total)
