"""`horus topic`: look at the topics of a namespace."""

from __future__ import annotations

import click

from horus_cli.verbs import Verbs

VERBS = {
    "list": "horus_cli.topic_list:list_topics",
    "echo": "horus_cli.topic_echo:echo",
    "pub": "horus_cli.topic_pub:pub",
    "info": "horus_cli.topic_info:info",
    "find": "horus_cli.topic_find:find",
    "hz": "horus_cli.topic_rate:hz",
    "bw": "horus_cli.topic_rate:bw",
    "delay": "horus_cli.topic_delay:delay",
}
"""Module and function of each, in the order of `horus topic --help`."""


@click.group(cls=Verbs, verbs=VERBS)
def topic() -> None:
    """See the topics of this namespace."""
