"""The launcher's end of the warm process: starting it, and starting programs from it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, final

from horus_plugins.launch import system
from horus_plugins.launch.warm import title, wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLE = "HORUS_LAUNCH_WARM"
"""`0`: each program starts from nothing."""
_MAIN = Path(__file__).with_name("main.py")
_IMPORTS = re.compile(rb"^[ \t]*(?:import|from)[ \t]+horus(?:_core|_plugins)?\b", re.MULTILINE)
_REQUEST_S = 2.0
"""A fork takes some milliseconds; a warm process that takes so long is of no use."""
_SAID_BYTES = 1 << 14
_OF_INTERPRETER = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "COV", "HOME", "TZ")
"""Variables that an interpreter and its libraries read when they start begin with these."""


@final
class WarmProgram:
    """A running program, as subprocess.Popen would have it."""

    def __init__(self, pid: int, out: int, err: int) -> None:
        self.pid = pid
        self.stdout = os.fdopen(out, "rb", buffering=0)
        self.stderr = os.fdopen(err, "rb", buffering=0)

    def wait(self) -> int:
        """Its exit code, or minus the signal that ended it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@final
class Starter:
    """A warm process, for programs with one environment of the interpreter. Raises OSError when it cannot start."""

    def __init__(self, environment: Mapping[str, str], *, patience_s: float = _REQUEST_S) -> None:
        self.born = self.used = time.monotonic()
        self.ready = False
        self.gone = False
        self._traits = _traits(environment)
        self._control, theirs = socket.socketpair()
        self._patience_s = patience_s
        self._control.settimeout(patience_s)
        self._said, said = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        launcher = os.getpid()
        try:
            self._process = subprocess.Popen(
                [sys.executable, str(_MAIN), str(theirs.fileno()), str(launcher), title.ROOM],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
                # Safe here: the launcher has no threads.
                preexec_fn=lambda: system.die_with(launcher),  # noqa: PLW1509
            )
        except OSError:
            self._control.close()
            os.close(self._said)
            raise
        finally:
            theirs.close()
            os.close(said)
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)

    @property
    def fd(self) -> int:
        """Readable when it becomes ready, or is gone."""
        return self._control.fileno()

    def heard(self) -> None:
        """Take note of what it says. To be called when `fd` is readable."""
        try:
            said = self._control.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        self.ready = said == wire.READY
        self.gone = not self.ready

    @property
    def last_words(self) -> str:
        """The last line that it printed, if it printed any."""
        with suppress(OSError):
            lines = os.read(self._said, _SAID_BYTES).decode(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether an interpreter of its own would start in the same way with this environment."""
        return _traits(environment) == self._traits

    def start(self, command: Sequence[str], environment: Mapping[str, str], cwd: str) -> WarmProgram | None:
        """Start it, as our own child that leads a session; None when it must be started otherwise."""
        self.used = time.monotonic()
        out, their_out = os.pipe2(os.O_CLOEXEC)
        err, their_err = os.pipe2(os.O_CLOEXEC)
        line, their_line = socket.socketpair()
        with line, their_line:
            line.settimeout(self._patience_s)
            try:
                request = wire.Request(list(command), cwd, dict(environment))
                wire.send(self._control, request, wire.Descriptors(their_out, their_err, their_line.fileno()))
                their_line.close()
                pid = _pid(line)
            except OSError:
                self.gone = True
                pid = 0
            finally:
                os.close(their_out)
                os.close(their_err)
        if pid:
            return WarmProgram(pid, out, err)
        os.close(out)
        os.close(err)
        return None

    def kill(self) -> None:
        """Let it end while others do; close() waits for that. What was started from it goes on."""
        with suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self) -> None:
        """End it. What was started from it goes on."""
        self._control.close()
        self.kill()
        os.close(self._pidfd)
        os.close(self._said)
        self._process.wait()  # knows, too, what to make of it when somebody has reaped it


def is_node(command: Sequence[str], cwd: str) -> bool:
    """Whether it is a Python file that imports HORUS itself, run by this interpreter without options.

    Others gain less, and whoever waits for a node can tell by HORUS's core in a process whether it may become one.
    """
    if len(command) < 2 or command[0] != sys.executable or not command[1].endswith(".py"):  # noqa: PLR2004
        return False
    with suppress(OSError):
        return _IMPORTS.search(Path(cwd, command[1]).read_bytes()) is not None
    return False


def usable(environment: Mapping[str, str]) -> bool:
    """Whether programs with this environment may start warm: not switched off, and nothing depends on the folder."""
    paths = environment.get("PYTHONPATH", "/").split(os.pathsep)
    return environment.get(VARIABLE) != "0" and all(path.startswith("/") for path in paths)


def _pid(line: socket.socket) -> int:
    """The program's pid; from now on it runs. 0: it could not be prepared. Raises OSError when nobody answers."""
    said = line.recv(wire.PID.size)
    if len(said) != wire.PID.size:
        return 0
    line.sendall(wire.GO)
    (pid,) = wire.PID.unpack(said)
    return int(pid)


def _traits(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_OF_INTERPRETER)}
