"""The life of the warm process: one thread that waits for requests, and a fork for each."""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from horus_plugins.launch.warm import preloaded, program, title, wire

if TYPE_CHECKING:
    from horus_plugins.launch.warm.program import Program

NAME = "horus-warm"


def serve() -> Program:
    """Answer requests until the launcher is gone, which ends this process. Returns in each program's own process.

    The arguments are the descriptor of the launcher's socket and its pid.
    """
    control, launcher = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    preloaded.preload()
    _require_fit()
    with suppress(OSError):
        title.set_title([NAME])
        title.set_name(NAME)
    installed = _installed()
    gc.collect()
    gc.freeze()  # what is there now is in each program, and no collection touches it
    try:
        control.sendall(wire.READY)
        while (received := wire.receive(control)) is not None:
            if _installed() != installed:
                sys.stderr.write("what is installed has changed since\n")
                break
            request, descriptors = received
            between = os.fork()
            if between == 0:
                control.close()
                return _program(request, descriptors, launcher)
            for fd in descriptors:
                os.close(fd)
            os.waitpid(between, 0)
    except OSError:  # the launcher is gone
        pass
    os._exit(0)


def _program(request: wire.Request, descriptors: wire.Descriptors, launcher: int) -> Program:
    """In a fork: a fork of that, whose parent the launcher is as soon as the one between has ended."""
    try:
        if os.fork():
            os._exit(0)
        return program.prepare(request, descriptors, launcher)
    except BaseException:  # noqa: BLE001 - the launcher starts it in the ordinary way, which tells what is wrong
        os._exit(1)


def _require_fit() -> None:
    """End when a fork of this process would not be like a new one: something here traces, or has a thread."""
    if len(list(Path("/proc/self/task").iterdir())) > 1 or threading.active_count() > 1:
        sys.exit("something that this interpreter imports at its start has a thread")
    if sys.gettrace() or sys.getprofile():
        sys.exit("this interpreter is traced from its start")


def _installed() -> list[int]:
    """Changes when something is installed where this process has imported from."""
    found = []
    for folder in sys.path:
        with suppress(OSError):
            found.append(Path(folder).stat().st_mtime_ns)
    return found
