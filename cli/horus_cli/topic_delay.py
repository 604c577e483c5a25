"""`horus topic delay`: how old messages are when they are published, and how far behind subscribers are."""

from __future__ import annotations

import click

from horus_cli.output import print_json
from horus_cli.topic_following import News, following, where_to_look


@click.command()
@following
@click.pass_context
def delay(
    ctx: click.Context,
    topic: str,
    window_s: float,
    messages: int | None,
    duration_s: float | None,
    as_json: bool,
) -> None:
    """Show once a second how old the messages of TOPIC are, until Ctrl+C.

    First from a message's own timestamp_ns, where its type has one, to its publishing. Then, for each subscriber, how
    old the oldest message is that it has not taken, looked at 50 times a second: how far behind it is.

    Examples:
      horus topic delay camera.rgb
      horus topic delay imu --duration 5 --json
    """
    from horus_plugins.monitor import topic_delay, topic_text  # noqa: PLC0415 - not needed for --help

    where, name = where_to_look(topic)
    delays = topic_delay.Delays(where, name, window_s)
    news = News(where)
    for report in delays.reports(messages=messages, duration_s=duration_s):
        news.tell(report.topic, there=report.there, anew=report.anew, error=report.error)
        if as_json:
            print_json(report)
            continue
        for line in topic_text.delay(report):
            click.echo(line)
    news.end(ctx, name, delays.total)
