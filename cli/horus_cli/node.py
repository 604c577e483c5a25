"""`horus node`: see and steer the nodes of a namespace."""

from __future__ import annotations

import click

from horus_cli.verbs import Verbs

VERBS = {
    "list": "horus_cli.node_list:list_nodes",
    "info": "horus_cli.node_info:info",
    "kill": "horus_cli.node_verbs:kill_nodes",
    "pause": "horus_cli.node_verbs:pause_nodes",
    "resume": "horus_cli.node_verbs:resume_nodes",
    "restart": "horus_cli.node_verbs:restart_nodes",
}
"""Module and function of each, in the order of `horus node --help`."""


@click.group(cls=Verbs, verbs=VERBS)
def node() -> None:
    """See and steer the nodes of this namespace."""
