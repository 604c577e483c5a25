"""Prometheus metrics of HORUS nodes: set HORUS_PROMETHEUS=127.0.0.1:9464, and scrape it.

This module is imported with every scheduler's start; prometheus-client only where the variable is set.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import horus

if TYPE_CHECKING:
    from horus_prometheus.exporter import Exporter

HORUS_PLUGIN_API = 1
VARIABLE = "HORUS_PROMETHEUS"

_exporter: Exporter | None = None


@horus.hookimpl
def horus_node_added(scheduler: horus.Scheduler) -> None:
    """Show the scheduler from now on."""
    global _exporter  # noqa: PLW0603 - one of the process
    told = os.environ.get(VARIABLE)
    if not told:
        return
    if _exporter is None:
        from horus_prometheus.exporter import Exporter  # noqa: PLC0415 - imports prometheus-client

        _exporter = Exporter()
    _exporter.show(scheduler, told)


@horus.hookimpl
def horus_node_stopped(scheduler: horus.Scheduler | None) -> None:
    """Show a scheduler no more whose last node has stopped."""
    if _exporter is not None and scheduler is not None:
        _exporter.look_at(scheduler)


def _forget_in_child() -> None:
    """A forked child has no thread that would answer: the port is its parent's alone."""
    global _exporter  # noqa: PLW0603 - as above
    if _exporter is not None:
        _exporter.abandon()
        _exporter = None


os.register_at_fork(after_in_child=_forget_in_child)
