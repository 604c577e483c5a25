"""The one thread of a process on which control topics are read and answered. It sleeps until somebody asks."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core import _native

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.control.server import Server
    from horus_core.topics.topic import Topic

_JOIN_S = 1.0
_PAUSE_S = 0.1  # after an error, before it goes on
_NEVER_NS = 2**63 - 1
_LOOK_NS = 50_000_000
"""How often to look where the kernel cannot sleep on several words: a thousand times a second is dear."""
_log = logging.getLogger("horus")


class _Answering:
    """The servers of a process, and their thread, which is there while there are any."""

    def __init__(self) -> None:
        self._servers: tuple[Server, ...] = ()
        self._guard = threading.Lock()
        self._alarm = _native.Alarm()
        self._thread: threading.Thread | None = None
        self.when_idle: Callable[[], None] | None = None

    def add(self, server: Server) -> None:
        with self._guard:
            self._servers = (*self._servers, server)
            self._alarm.ring()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="horus control", daemon=True)
                self._thread.start()

    def remove(self, server: Server) -> None:
        with self._guard:
            self._servers = tuple(one for one in self._servers if one is not server)
            self._alarm.ring()
            thread = None if self._servers else self._thread
        if thread is None:
            return
        if thread is not threading.current_thread():
            thread.join(_JOIN_S)
        if self.when_idle is not None:
            self.when_idle()

    def is_idle(self) -> bool:
        return not self._servers

    def _run(self) -> None:
        while True:
            with self._guard:
                self._alarm.reset()
                servers = self._servers
                if not servers:
                    self._thread = None
                    return
            try:
                self._turn(servers)
            except Exception as error:  # noqa: BLE001 - who answers must go on answering
                say("Answering on control topics failed, and goes on: %s", error)
                time.sleep(_PAUSE_S)

    def _turn(self, servers: tuple[Server, ...]) -> None:
        now_s = time.monotonic()
        due_s = min(server.overdue(now_s) for server in servers)
        heard = tuple(server.requests for server in servers if server.pause_until_s <= now_s)
        until_ns = _NEVER_NS if due_s == float("inf") else int(due_s * 1e9)
        try:
            self._sleep(heard, until_ns)
        finally:
            for server in servers:
                server.serve()

    def _sleep(self, heard: tuple[Topic, ...], until_ns: int) -> None:
        if _native.waits_on_many():
            _native.wait_any(heard, self._alarm, until_ns)
            return
        while not (any(topic.has_msg() for topic in heard) or self._alarm.rung):
            now_ns = _native.now_ns()
            if now_ns >= until_ns:
                return
            self._alarm.wait_until(min(until_ns, now_ns + _LOOK_NS))


_here = _Answering()


def add(server: Server) -> None:
    """Have the server served from now on."""
    _here.add(server)


def remove(server: Server) -> None:
    """Serve it no more; the thread ends with the last."""
    _here.remove(server)


def is_idle() -> bool:
    """Whether nothing is served."""
    return _here.is_idle()


def when_idle(call: Callable[[], None]) -> None:
    """Have it called whenever the last server has gone."""
    _here.when_idle = call


def say(text: str, *values: object) -> None:
    """Log an error, whatever becomes of that."""
    with suppress(Exception):  # a broken stderr, or a handler of somebody else's, must not matter here
        _log.error(text, *values)


def _forget_in_child() -> None:
    """A forked child has no such thread, and answers for nobody."""
    global _here  # noqa: PLW0603 - another thread of the parent may have held its lock
    _here = _Answering()


os.register_at_fork(after_in_child=_forget_in_child)
