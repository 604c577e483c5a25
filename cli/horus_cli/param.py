"""`horus param`: see and set the parameters of running processes."""

from __future__ import annotations

import click

from horus_cli.verbs import Verbs

VERBS = {
    "list": "horus_cli.param_show:list_params",
    "get": "horus_cli.param_show:get_param",
    "set": "horus_cli.param_change:set_param",
    "delete": "horus_cli.param_change:delete_param",
    "load": "horus_cli.param_change:load_params",
    "save": "horus_cli.param_show:save_params",
}
"""Module and function of each, in the order of `horus param --help`."""


@click.group(cls=Verbs, verbs=VERBS)
def param() -> None:
    """See and set the parameters of running processes.

    They live in the processes that use them (horus.RuntimeParams): what is set is gone when these end.
    """
