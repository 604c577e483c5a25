"""A measured program: a process of its own that is told what to do and answers in JSON lines."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANSWER_TIMEOUT_S = 60.0


class ProgramError(RuntimeError):
    """A measured program failed, ended or did not answer."""


class Program:
    """Starts a program on a core; it ends when its standard input closes, or is killed."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        core: int | None = None,
        environment: Mapping[str, str] | None = None,
        inherit: Sequence[int] = (),
    ) -> None:
        self.name = " ".join(Path(part).name for part in command)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the program
        self._buffer = b""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            env=_environment(environment or {}),
            pass_fds=inherit,
            start_new_session=True,  # Ctrl+C reaches the harness, which ends its programs in order
            preexec_fn=lambda: machine.prepare_child(core),  # noqa: PLW1509 - the harness has one thread
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def start(self, do: str, **arguments: Any) -> None:
        """Tells the program to do something; ``result`` collects what comes of it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        except BrokenPipeError as error:
            raise self._failure("ended before it was told what to do") from error

    def result(self, timeout_s: float = ANSWER_TIMEOUT_S) -> dict[str, Any]:
        """The next answer."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, left))
            if not ready:
                raise self._failure(f"did not answer within {timeout_s:.0f} s")
            chunk = os.read(self._process.stdout.fileno(), 65536)
            if not chunk:
                raise self._failure("ended without an answer")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ProgramError(f"{self.name}: {answer['error']}")
        return answer

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Tells the program to do something and waits for the answer."""
        self.start(do, **arguments)
        return self.result()

    def close(self) -> None:
        """Ends the program: at first by the end of its input, after a while by force."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _failure(self, what: str) -> ProgramError:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-3:]
        return ProgramError(f"{self.name} {what} (exit code {code}): {' | '.join(last)}")


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Ours without what would put another program's packages or namespace in the way."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "HORUS_NAMESPACE"}
    return {**{key: value for key, value in os.environ.items() if key not in hidden}, **extra}
