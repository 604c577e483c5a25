"""`horus` commands forked from a process that has imported HORUS already: a tenth of the work of starting each anew.

A command that came this way is a process of its own: its pid, session, signals, streams, folder and environment are
what a started one has, and it runs `horus_cli.__main__` to the interpreter's end. Only its interpreter's start and
most of its imports are the parent's. Whatever settles at that start (PYTHONPATH, a locale) differs from the parent's
only in a started one: see `fits`. This file is also the parent's program: `python warm.py FD`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

FIXED_AT_START = ("PYTHON", "LC_", "LANG", "TZ", "LD_", "ASAN_", "UBSAN_", "MALLOC_")
STARTED = {"run", "launch", "completion"}
"""Commands that are always started: their signals, children and time matter."""
PACKAGES = (
    "horus_cli",
    "horus_core.shm",
    "horus_core.control",
    "horus_plugins.monitor",
    "importlib.metadata",
)
ENVIRONMENT = dict(os.environ)
"""What pytest has before any test changes it."""


def fits(arguments, options) -> bool:
    """Whether a command with these arguments and options of Popen can be forked."""
    return (
        set(options) <= {"stdin", "cwd", "env", "start_new_session"}
        and (options["stdin"], options["start_new_session"]) == (subprocess.DEVNULL, True)
        and not STARTED & {str(argument) for argument in arguments}
        and _fixed(options.get("env") or os.environ) == _fixed(ENVIRONMENT)
    )


def _fixed(environment):
    return {name: value for name, value in environment.items() if name.startswith(FIXED_AT_START)}


class Forked:
    """What `subprocess.Popen` tells of a process, of a forked one: its output is read from `stdout` and `stderr`."""

    def __init__(self, arguments, *, cwd=None, env=None, **_as_fits_says) -> None:
        request = {
            "arguments": [str(argument) for argument in arguments],
            "cwd": os.fspath(cwd or Path.cwd()),
            "environment": dict(env or os.environ),
        }
        pipes = [os.pipe() for _ in range(3)]
        _parent_of_all().ask(request, [end for _, end in pipes])
        for _, end in pipes:
            os.close(end)
        self.stdout, self.stderr, self._state = (os.fdopen(read, "rb", buffering=0) for read, _ in pipes)
        self.pid = int(self._state.read(8))
        self.returncode = None

    def poll(self, timeout_s=0.0):
        """Its exit code, minus the signal that ended it; None while it runs."""
        if self.returncode is None and select.select([self._state], [], [], timeout_s)[0]:
            with self._state:
                self.returncode = int(self._state.read(8))
        return self.returncode

    def wait(self, timeout=None):
        if self.poll(timeout) is None:
            raise subprocess.TimeoutExpired(f"pid {self.pid}", timeout)
        return self.returncode

    def send_signal(self, number) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Parent:
    """The process from which commands are forked, seen from pytest's; it ends with that."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,  # as the commands have: an interpreter looks at its streams but once
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                start_new_session=True,
            )

    def ask(self, request, files) -> None:
        try:
            socket.send_fds(self._socket, [json.dumps(request).encode()], files)
        except BrokenPipeError:
            raise AssertionError(self._process.stderr.read().decode()) from None

    def end(self) -> None:
        self._socket.close()
        assert self._process.communicate() == (b"", b"")


_parents: list[_Parent] = []


def _parent_of_all() -> _Parent:
    if not _parents:
        _parents.append(_Parent())
    return _parents[0]


def end() -> None:
    """Let the parent of the commands go, if there is one."""
    while _parents:
        _parents.pop().end()


def _import_all() -> None:
    """What commands use, but for numpy, which starts threads: those would not be there after a fork."""
    for package in PACKAGES:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith(".__main__"):
                importlib.import_module(module.name)
    assert "numpy" not in sys.modules
    gc.freeze()  # no child's garbage collector looks through all of this: its pages stay shared


def _serve(requests) -> dict | None:
    """Fork one child for each request; its request, in a child, None at pytest's end, in the parent."""
    wake, woken = socket.socketpair()
    for end_of in (wake, woken):
        end_of.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken.fileno())
    states: dict[int, int] = {}
    while True:
        ready = select.select([requests, wake], [], [])[0]
        if wake in ready:
            wake.recv(4096)
            _report(states)
        if requests not in ready:
            continue
        data, files, _, _ = socket.recv_fds(requests, 1 << 20, 3)
        if not data:
            return None
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for left in (requests, wake, woken):
                left.close()
            for state in (*states.values(), files[2]):
                os.close(state)
            return _become(json.loads(data), files[:2])
        for file in files[:2]:
            os.close(file)
        states[pid] = files[2]
        os.write(files[2], b"%8d" % pid)


def _report(states) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with contextlib.suppress(BrokenPipeError), os.fdopen(states.pop(ended[0]), "wb") as state:
                state.write(b"%8d" % os.waitstatus_to_exitcode(ended[1]))


def _become(request, streams) -> dict:
    os.setsid()
    for number, file in enumerate(streams, start=1):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    return request


if __name__ == "__main__":
    _import_all()
    _asked = _serve(socket.socket(fileno=int(sys.argv[1])))
    if _asked is not None:
        sys.path[0] = str(Path.cwd())  # as `python -m` has it
        sys.path_importer_cache.clear()
        sys.argv[1:] = _asked["arguments"]
        runpy.run_module("horus_cli", run_name="__main__", alter_sys=True)
