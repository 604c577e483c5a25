"""Which schedulers are shown, and the server that shows them: there while one of them runs."""

from __future__ import annotations

import errno
import logging
import os
import threading

from prometheus_client import CollectorRegistry, ProcessCollector

import horus
from horus_prometheus import address
from horus_prometheus.metrics import NodeCollector
from horus_prometheus.server import Server

_OVER = frozenset({horus.NodeState.STOPPED, horus.NodeState.CRASHED})
_log = logging.getLogger("horus.prometheus")


class Exporter:
    """One of the process. From any thread; nothing that goes wrong here is raised."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._schedulers: list[horus.Scheduler] = []
        self._server: Server | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(NodeCollector(lambda: tuple(self._schedulers)))
        ProcessCollector(registry=self._registry)

    def show(self, scheduler: horus.Scheduler, told: str) -> None:
        """Tell of the scheduler until its run ends; for the first one the server starts, where `told` says."""
        with self._lock:
            if scheduler in self._schedulers:
                return
            self._schedulers.append(scheduler)
            if self._server is None and len(self._schedulers) == 1:
                self._server = self._serve(told)

    def look_at(self, scheduler: horus.Scheduler) -> None:
        """A node of it has stopped: it may have been the last."""
        if all(node.info is None or node.info.state() in _OVER for node in scheduler.get_all_nodes()):
            self._forget(scheduler)

    def abandon(self) -> None:
        """For a forked child, whose parent goes on to serve."""
        if self._server is not None:
            self._server.abandon()

    def _forget(self, *schedulers: horus.Scheduler) -> None:
        with self._lock:
            self._schedulers = [one for one in self._schedulers if one not in schedulers]
            server = None if self._schedulers else self._server
            if server is not None:
                self._server = None
        if server is not None:
            server.close()

    def _forget_idle(self) -> None:
        """Those whose run has ended in another way than by a last node that stops: an init that failed."""
        idle = [one for one in tuple(self._schedulers) if not one.is_running()]
        if idle:
            self._forget(*idle)

    def _serve(self, told: str) -> Server | None:
        try:
            host, ports = address.parse(told)
        except ValueError as error:
            _log.warning("HORUS_PROMETHEUS: %s; no metrics are served.", error)
            return None
        for port in ports:
            try:
                server = Server(host, port, self._registry, self._forget_idle)
            except OSError as error:
                if error.errno == errno.EADDRINUSE and port != ports[-1]:
                    continue
                _log.warning(
                    "Serving metrics on %s failed: %s. The run goes on without them. Free the port, or give this "
                    "process (%d) another: HORUS_PROMETHEUS=%s:%d-%d takes the first that is free.",
                    told, error.strerror or error, os.getpid(), host, ports[0], min(ports[-1] + 8, 65535),
                )  # fmt: skip
                return None
            _log.info(
                "Prometheus metrics at http://%s:%d/metrics", f"[{host}]" if ":" in host else host, port
            )
            return server
        return None
