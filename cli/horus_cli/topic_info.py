"""`horus topic info`: everything about one topic."""

from __future__ import annotations

import click

from horus_cli.options import bounded, current_namespace, json_option, namespace_option
from horus_cli.output import print_json


@click.command()
@click.argument("topic")
@json_option
@namespace_option
@bounded()
def info(topic: str, as_json: bool) -> None:
    """Show type, layout, memory and users of TOPIC, and what does not fit together.

    The layout is read from the topic itself: no package with its class is needed.

    Examples:
      horus topic info imu
      horus topic info camera.rgb --json
    """
    from horus_core import names  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import message_text, topic_info, topic_text  # noqa: PLC0415

    where = current_namespace()
    found = topic_info.info(where, names.topic_name(topic))
    if as_json:
        print_json(found)
        return
    for line in topic_text.page(found):
        click.echo(line)
    if found.layout is not None:
        click.echo()
        for line in message_text.fields(found.layout):
            click.echo(line)
