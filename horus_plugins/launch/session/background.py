"""Starting a session as a process of its own, from any thread: `horus launch --detach`, `horus.launch`, tests."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core.errors import HorusTimeoutError, LaunchError
from horus_plugins.launch import manifest
from horus_plugins.launch.file.plan import Plan  # noqa: TC001 - msgspec reads the annotations of Job
from horus_plugins.launch.session.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from horus_plugins.launch.manifest import Session

_MAIN = Path(__file__).with_name("main.py")
_POLL_S = 0.01
_TAIL_LINES = 15
_MOST_SAID = 1 << 18
_STARTING = ("waiting", "starting")


class Job(msgspec.Struct):
    """What the process gets on stdin."""

    plan: Plan
    settings: Settings


class Running:
    """A session that runs in a launcher process of its own. A context manager: its end stops the session."""

    def __init__(self, plan: Plan, *, log_dir: str = "", outlive: bool = False, **options: Any) -> None:
        """Start the launcher. With `outlive` it goes on when this process ends or this object is gone."""
        self.plan = plan
        ours, theirs = os.pipe2(os.O_CLOEXEC) if not outlive else (-1, -1)
        # The launcher reads, and learns of our end by the end of the pipe: it has no other writer than us.
        settings = Settings(log_dir=log_dir, hold_fd=ours if not outlive else None, options=options)
        try:
            self._process = subprocess.Popen(
                [sys.executable, str(_MAIN)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=() if outlive else (ours,),
            )
        except OSError:
            if theirs >= 0:
                os.close(theirs)
            raise
        finally:
            if ours >= 0:
                os.close(ours)
        self._hold = theirs
        self.pid = self._process.pid
        self.said = ""
        """What the launcher said, as far as it was read; of much the last."""
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        os.set_blocking(self._process.stderr.fileno(), False)
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(msgspec.json.encode(Job(plan, settings)))

    def __repr__(self) -> str:
        how = "runs" if self.exit_code is None else f"ended with exit code {self.exit_code}"
        return f"<Session {self.plan.session!r} (pid {self.pid}) {how}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def exit_code(self) -> int | None:
        """The session's exit code; None while it runs."""
        self._listen()
        return self._process.poll()

    def look(self) -> Session | None:
        """What the session says of itself now; None before its start and after its end."""
        found = manifest.read(self.plan.namespace, self.plan.session)
        return found if found is not None and found.pid == self.pid else None

    def wait_ready(self, timeout_s: float = 60.0) -> Session:
        """Wait until every node runs and is ready, or has ended well.

        Raises LaunchError when the session ends before that, or a node crashed, could not be started, or was not
        ready within its `ready_timeout`, and HorusTimeoutError.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            code = self.exit_code
            now = self.look()
            if code is not None:
                raise LaunchError(
                    f"Session {self.plan.session!r} ended with exit code {code}:\n{self.tail()}"
                )
            if now is not None and now.status == "running":
                bad = [node for node in now.nodes if node.status in ("crashed", "failed")]
                if bad:
                    raise LaunchError(self._bad(bad[0]))
                return now
            if now is not None:
                self._require_hope(now)
            if time.monotonic() >= deadline:
                waits = [node.name for node in now.nodes if node.status in _STARTING] if now else []
                raise HorusTimeoutError(
                    f"Session {self.plan.session!r} is not ready: expected that within {timeout_s:g} s, got nodes "
                    f"that are not: {', '.join(waits) or 'none was started'} (pid={self.pid}).\n{self.tail()}"
                )
            time.sleep(_POLL_S)

    def stop(self, timeout_s: float = 30.0) -> int:
        """Stop the session, wait for its end, and return its exit code. Raises HorusTimeoutError."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the end of the session; its exit code. Raises HorusTimeoutError."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while (code := self.exit_code) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise HorusTimeoutError(
                    f"Session {self.plan.session!r} still runs: expected its end within {timeout_s:g} s "
                    f"(pid={self.pid}).\n{self.tail()}"
                )
            time.sleep(_POLL_S)
        self.release()
        return code

    def release(self) -> None:
        """Let go of the launcher: without `outlive` that stops it, with it goes on."""
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1
        if self._process.stderr is not None and not self._process.stderr.closed:
            self._listen()
            self._process.stderr.close()

    def tail(self) -> str:
        """The last lines that the launcher said, and its nodes on stderr."""
        self._listen()
        return "\n".join(self.said.splitlines()[-_TAIL_LINES:])

    def _listen(self) -> None:
        stream = self._process.stderr
        if stream is None or stream.closed:
            return
        with suppress(BlockingIOError):
            while data := os.read(stream.fileno(), 1 << 16):
                self.said = (self.said + data.decode(errors="replace"))[-_MOST_SAID:]

    def _require_hope(self, now: Session) -> None:
        limits_s = {node.name: node.ready_timeout_s for node in self.plan.nodes}
        for node in now.nodes:
            lived_s = (time.time_ns() - node.started_ns) / 1e9
            if node.status == "starting" and lived_s > limits_s.get(node.name, math.inf):
                raise LaunchError(
                    f"Node {node.name!r} of session {self.plan.session!r} is not ready: expected that within "
                    f"{limits_s[node.name]:g} s, got a process that is not (pid={node.pid}).\n{self.tail()}"
                )

    def _bad(self, node: manifest.LaunchedNode) -> str:
        how = node.last_exit.text if node.last_exit is not None else node.waiting_for
        return f"Node {node.name!r} of session {self.plan.session!r} is not there: {how}.\n{self.tail()}"


def start(plan: Plan, *, log_dir: str = "") -> Running:
    """Start a session in a launcher process of its own, from any thread; it stops when this process ends.

    Waiting for its nodes is wait_ready(). Raises OSError when no process can be started.
    """
    return Running(plan, log_dir=log_dir)
