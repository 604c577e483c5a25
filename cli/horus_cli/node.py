"""`horus node`: see and steer the nodes of a namespace."""

from __future__ import annotations

import click

from horus_cli.node_info import info
from horus_cli.node_list import list_nodes


@click.group()
def node() -> None:
    """See and steer the nodes of this namespace."""


node.add_command(list_nodes)
node.add_command(info)
