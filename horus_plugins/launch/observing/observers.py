"""The launcher's end of its observers: they are told in a process of their own, and never hold the launcher up.

A launcher forks, so it has no threads; and it must hear an emergency stop at once, whatever a plugin does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from horus_core.plugins import lifecycle
from horus_plugins.launch import system
from horus_plugins.launch.child import Child
from horus_plugins.launch.observing import wire
from horus_plugins.launch.output import Outlet, prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from horus_plugins.launch.manifest import Exit
    from horus_plugins.launch.pump import Pump

LABEL = "observers"
PATIENCE_S = 2.0
"""How long the end of a session waits for them."""
_MAIN = Path(__file__).with_name("main.py")
_MOST_UNTOLD = 1 << 20


@final
class Observers:
    """Those who are told of a session's processes; without plugins in the group nothing is started."""

    def __init__(self, session: str, pump: Pump, say: Callable[[str], None]) -> None:
        self._session = session
        self._pump = pump
        self._say = say
        self._child: Child | None = None
        self._line = -1
        self._untold = bytearray()
        self._lost = 0
        self._finishing = False

    @property
    def waits(self) -> bool:
        """Whether turn() has something to do, though nothing has happened."""
        return bool(self._untold) or (self._finishing and self._child is not None)

    def begin(self, environment: Mapping[str, str]) -> None:
        """Start their process if the group has plugins, which are imported there while the session starts."""
        if not lifecycle.plugins():
            return
        heard, self._line = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._line, False)
        try:
            process = _spawn(environment, heard)
        except OSError as error:
            self._hang_up()
            self._say(f"observers are told nothing: {error.strerror}")
            return
        finally:
            os.close(heard)
        out, err = (Outlet(prefix(LABEL), sink) for sink in (self._pump.out, self._pump.err))
        self._child = Child(LABEL, (), {}, out=out, err=err, start=lambda *_: process)
        self._pump.add(self._child)

    def spawned(self, name: str, pid: int, command: Sequence[str], restarts: int) -> None:
        """A process was started."""
        self._tell("horus_process_spawned", name=name, pid=pid, command=list(command), restarts=restarts)

    def exited(self, name: str, end: Exit, restarts: int) -> None:
        """A process has ended."""
        self._tell(
            "horus_process_exited",
            name=name,
            pid=end.pid,
            exit_code=end.code,
            signal=end.signal or None,
            reason=end.text,
            asked=end.asked,
            restarts=restarts,
        )

    def turn(self) -> None:
        """Hand on what they have not been told yet, as far as they listen."""
        if not self._untold:
            return
        try:
            written = os.write(self._line, self._untold)
        except BlockingIOError:
            return
        except OSError:  # its end comes with the next ends of processes
            self._hang_up()
            return
        del self._untold[:written]

    def has_ended(self, child: Child) -> bool:
        """Whether this process, which was reaped, is theirs. An end that nobody planned is said, once."""
        if child is not self._child:
            return False
        if child.code and not child.stopping:
            how = f"exit code {child.code}" if child.code > 0 else f"signal {-child.code}"
            self._say(
                f"observers are told nothing any more: their process (pid {child.pid}) ended with {how}"
            )
        self._hang_up()
        self._let_go(child)
        return True

    def finish(self, turn: Callable[[], object]) -> None:
        """Wait until they were told everything, a second at most; `turn` waits a moment and moves output."""
        self._finishing = True
        deadline = time.monotonic() + PATIENCE_S
        while (child := self._child) is not None and time.monotonic() < deadline:
            self.turn()
            if not self._untold:
                self._hang_up()  # they read to the end, and then end
            turn()
        if child is not None:
            self._say(f"observers were not told everything within {PATIENCE_S:g} s: their process is ended")
            child.kill()
            while self._child is not None and not child.gone:
                turn()

    def _tell(self, hook: str, **arguments: Any) -> None:
        if self._line < 0:
            return
        line = wire.encode(wire.Event(hook, {"session": self._session, **arguments}))
        if len(self._untold) + len(line) > _MOST_UNTOLD:
            self._lost += 1
            if self._lost == 1:
                self._say("observers do not keep up: what does not fit into 1 MiB is not told to them")
            return
        self._untold += line
        self.turn()

    def _hang_up(self) -> None:
        self._untold.clear()
        if self._line >= 0:
            os.close(self._line)
            self._line = -1

    def _let_go(self, child: Child) -> None:
        if not child.gone:
            child.kill()  # what they have left behind
        self._pump.drop(child)
        self._child = None


def _spawn(environment: Mapping[str, str], heard: int) -> subprocess.Popen[bytes]:
    launcher = os.getpid()
    return subprocess.Popen(
        [sys.executable, str(_MAIN)],
        env=environment,
        bufsize=0,
        stdin=heard,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # Safe here: the launcher has no threads.
        preexec_fn=lambda: system.die_with(launcher),  # noqa: PLW1509
    )
