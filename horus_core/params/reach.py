"""How tools reach the parameters of a process in which no scheduler runs: it answers on a control topic of its own.

The first `horus.RuntimeParams()` of a process asks for that. A moment later, on a thread of its own and only if no
scheduler answers here by then, the process joins its namespace, says so in
`/dev/shm/horus_{ns}/processes/{name}.json`, and answers on `horus.ctl.{name}` until it ends. The file is no proof of
life: its `ident` is, together with the kernel's locks (Member.alive). When the last scheduler has ended, it begins
again. A forked child is another process.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from horus_core import names

if TYPE_CHECKING:
    from horus_core.control.server import Server

FOLDER = "processes"
SUFFIX = ".json"
_MOST_NAME = 64
_MOMENT_S = 0.1
"""A process that starts a scheduler by then needs no server of its own, and one that ends by then none at all."""
_NEEDED = (
    "horus_core.backends.registry",
    "horus_core.backends.shm",
    "horus_core.control.logs",
    "horus_core.control.presence",
    "horus_core.control.room",
    "horus_core.control.server",
    "horus_core.params.remote",
    "horus_core.topics.topic",
)
"""What is imported on the thread, not by who makes RuntimeParams: that takes 20 ms."""
_FORK_WAITS_S = 30.0
_log = logging.getLogger("horus")


class _Loading:
    """Imports on the thread and forks take turns: a child has no use for modules that are half there."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._held = False

    def begin_fork(self) -> None:
        """Wait for the imports; who forks within one of them gets a child that is not reached."""
        self._held = self.lock.acquire(timeout=_FORK_WAITS_S)

    def end_fork(self) -> None:
        """In the parent."""
        if self._held:
            self.lock.release()

    def begin_child(self) -> bool:
        """Whether all modules are whole here."""
        self.lock = threading.Lock()
        return self._held


_loading = _Loading()


class Answerer(NamedTuple):
    """Who answers for a process without a scheduler: the target of its requests."""

    name: str
    nodes: list[str]

    def get_node_names(self) -> list[str]:
        """Whose callbacks run here, in a process that runs one node for a scheduler's."""
        return self.nodes


class Reach:
    """The answering of this process, asked for or not."""

    def __init__(self) -> None:
        self.wanted = False
        self.node = ""
        """The node whose callbacks run here for a scheduler in another process; "": none."""
        self._failed = False
        self._guard = threading.Lock()
        self._pending: threading.Event | None = None
        """Set to call it off."""
        self._server: Server | None = None
        self._path: Path | None = None

    def want(self) -> None:
        """Answer from a moment later on, unless a scheduler does."""
        self.wanted = True
        with self._guard:
            if self._server is not None or self._pending is not None:
                return
            called_off = threading.Event()
            thread = threading.Thread(
                target=self._open_soon, args=(called_off,), name="horus params", daemon=True
            )
            with suppress(RuntimeError):  # no thread can be started: the interpreter ends
                thread.start()
                self._pending = called_off

    def close(self, *, wait: bool = True) -> None:
        """Answer no more; without `wait` what is being opened at this moment is left to the kernel."""
        self.wanted = False
        pending = self._pending
        if pending is not None:
            pending.set()
        if not self._guard.acquire(blocking=wait):
            return
        try:
            server, path, self._server, self._path, self._pending = self._server, self._path, None, None, None
            if path is not None:
                path.unlink(missing_ok=True)
            if server is not None:
                server.close()
        finally:
            self._guard.release()

    def _open_soon(self, called_off: threading.Event) -> None:
        if called_off.wait(_MOMENT_S):
            return
        with _loading.lock:
            for name in _NEEDED:
                importlib.import_module(name)
        from horus_core.control import answering  # noqa: PLC0415 - as those

        answering.when_idle(self._want_again)
        with self._guard:
            if called_off.is_set() or self._pending is not called_off:
                return
            self._pending = None
            if answering.is_idle():
                self._try_to_open()

    def _want_again(self) -> None:
        """No scheduler answers here any more."""
        if self.wanted and not self._failed:
            self.want()

    def _try_to_open(self) -> None:
        from horus_core.backends import registry as backends  # noqa: PLC0415 - as those
        from horus_core.errors import HorusError  # noqa: PLC0415

        try:
            if backends.shows_runs():
                self._open()
        except (HorusError, OSError) as error:
            self._failed = True
            server, self._server = self._server, None
            if server is not None:
                server.close()
            _log.warning("Nobody can see or set the parameters of this process: %s", error)

    def _open(self) -> None:
        from horus_core.control import commands, presence, server  # noqa: PLC0415 - as those
        from horus_core.shm import namespace, process  # noqa: PLC0415

        space = namespace.current()
        member = process.member(space)
        nodes = [self.node] if self.node else []
        path = _free_path(namespace.directory(space) / FOLDER, self.node or _program())
        name = path.name.removesuffix(SUFFIX)
        about = {"pid": os.getpid(), "ident": member.ident, "nodes": nodes, "started_ns": time.time_ns()}
        # First the server: whoever finds the file is heard.
        self._server = server.Server(
            commands.topic_of(name), commands.process, Answerer(name, nodes), scheduler=name
        )
        with namespace.locked(space):
            presence.write(path, {"name": name, **about})
        self._path = path


def _program() -> str:
    """What this process is called: its script, or "python"."""
    stem = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] != "-c" else ""
    return names.as_node_name(stem)[:_MOST_NAME] or "python"


def _free_path(folder: Path, stem: str) -> Path:
    """Two containers may have processes of one pid."""
    name = f"{stem}.{os.getpid()}"
    path, number = folder / f"{name}{SUFFIX}", 1
    while path.exists():
        number += 1
        path = folder / f"{name}.{number}{SUFFIX}"
    return path


here = Reach()
"""This process's."""


def close() -> None:
    """Have this process answer for its parameters no more, until somebody asks for RuntimeParams again."""
    here.close()


def _begin_anew_in_child() -> None:
    global here
    was, here = here, Reach()
    here.node = was.node
    if _loading.begin_child() and was.wanted:
        here.want()


def _end() -> None:
    with suppress(Exception):
        here.close(wait=False)


os.register_at_fork(
    before=_loading.begin_fork,
    after_in_parent=_loading.end_fork,
    after_in_child=_begin_anew_in_child,
)
atexit.register(_end)
