"""`horus service`: robots that start with the machine, under systemd."""

from __future__ import annotations

import click

from horus_cli.verbs import Verbs

VERBS = {
    "install": "horus_cli.service_install:install",
    "uninstall": "horus_cli.service_verbs:uninstall",
    "status": "horus_cli.service_verbs:status",
}
"""Module and function of each, in the order of `horus service --help`."""


@click.group(cls=Verbs, verbs=VERBS)
def service() -> None:
    """Have launch files and nodes started by systemd, restarted when they fail, and watched."""
