"""One process that a launcher started: its group, its output, how it is stopped, how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING, Protocol

from horus_core.errors import LaunchError
from horus_plugins.launch import system
from horus_plugins.launch.output import LineReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from horus_plugins.launch.output import Outlet

GRACE_S = 5.0
_INSISTED_GRACE_S = 2.0
_UNKILLABLE_AFTER_S = 2.0


class Process(Protocol):
    """A process that was started, as subprocess.Popen has it."""

    pid: int

    @property
    def stdout(self) -> IO[bytes] | None:
        """What it prints."""

    @property
    def stderr(self) -> IO[bytes] | None:
        """What it complains of."""

    def wait(self) -> int:
        """Wait for its end: its exit code, or minus the signal that ended it."""


class Start(Protocol):
    """Starts a process as the leader of a session of its own; None: it is to be started in the ordinary way."""

    def __call__(self, command: Sequence[str], environment: Mapping[str, str], cwd: str) -> Process | None:
        """Raises nothing."""


class Child:
    """A process that leads a session of its own: the terminal's Ctrl+C reaches only the launcher."""

    def __init__(
        self,
        label: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        out: Outlet,
        err: Outlet,
        cwd: str | None = None,
        start: Start | None = None,
    ) -> None:
        self.label = label
        self.code: int | None = None
        self._born = time.monotonic()
        self._asked = False
        self._kill_at: float | None = None
        self._killed_at: float | None = None
        started = start(command, environment, cwd or ".") if start is not None else None
        self._process: Process = started or _spawn(label, command, environment, cwd)
        self.pid = self._process.pid
        streams = ((self._process.stdout, out), (self._process.stderr, err))
        self.readers = [LineReader(stream, outlet) for stream, outlet in streams if stream]

    @property
    def running(self) -> bool:
        """Whether the process itself runs, whatever it may have left behind."""
        return self.code is None

    @property
    def gone(self) -> bool:
        """Whether nothing is left: it and all of its group have ended (or cannot be killed)."""
        if self._killed_at is not None and time.monotonic() - self._killed_at > _UNKILLABLE_AFTER_S:
            return True
        return not self.running and not self._signal(0)

    def reap(self) -> None:
        """Take note of its end. To be called when the kernel says that it has ended."""
        self.code = self._process.wait()

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Ask it and its own children to end: SIGTERM, and so long to heed it; who stands still goes on for that."""
        self.expect_end()
        self._kill_at = time.monotonic() + grace_s
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)

    def expect_end(self) -> None:
        """Take note that it was asked to end, by whatever means."""
        self._asked = self._asked or self.running

    def insist(self) -> None:
        """Ask again, with less patience: a HORUS node cuts its shutdown short at a second SIGTERM."""
        self._kill_at = time.monotonic() + _INSISTED_GRACE_S
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its own children now."""
        self._kill_at = None
        self._killed_at = time.monotonic()
        self._signal(signal.SIGKILL)

    @property
    def overdue(self) -> bool:
        """Whether it was asked to end and its time is up."""
        return self._kill_at is not None and time.monotonic() >= self._kill_at

    @property
    def killed(self) -> bool:
        """Whether we killed it."""
        return self._killed_at is not None

    @property
    def stopping(self) -> bool:
        """Whether it, or what it left behind, was already asked to end."""
        return self._kill_at is not None or self._killed_at is not None

    def pause(self) -> None:
        """Stop it in its tracks, as Ctrl+Z does; SIGTSTP would be ignored in a group without a terminal."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def drain(self) -> None:
        """Show what it has printed so far, unfinished line included. For a process that has ended."""
        for reader in self.readers:
            reader.drain()

    @property
    def age_s(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._born

    @property
    def asked(self) -> bool:
        """Whether it was asked to end while it ran."""
        return self._asked

    @property
    def exit_code(self) -> int:
        """What a shell would report: 128 + n for signal n; but 0 when it heeded our SIGTERM."""
        if self.code is None:
            return 128 + signal.SIGKILL
        code = 128 - self.code if self.code < 0 else self.code
        return 0 if self._asked and code == 128 + signal.SIGTERM else code

    def _signal(self, number: int) -> bool:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):  # PermissionError: only members that changed their user
            return False
        return True


def _spawn(
    label: str, command: Sequence[str], environment: Mapping[str, str], cwd: str | None
) -> subprocess.Popen[bytes]:
    launcher = os.getpid()
    try:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=cwd,
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # Safe here: the launcher has no threads.
            preexec_fn=lambda: system.die_with(launcher),  # noqa: PLW1509
        )
    except OSError as error:
        raise LaunchError(
            f"Starting [{label}] failed: {error.strerror} ({command[0]}). Check that it runs by itself."
        ) from error
