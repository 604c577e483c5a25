"""What a run tells systemd, where a service manager asked to be told: sd_notify(3).

READY=1 when the nodes have started, EXTEND_TIMEOUT_USEC= before that where a start has limits of its own, STATUS= in
words, STOPPING=1 at the end, and WATCHDOG=1 while the run's own thread gets round and no node hangs. Without
NOTIFY_SOCKET nothing of this costs anything.

The process that was asked takes the variables for itself: what it starts does not speak for the service.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from contextlib import suppress

SOCKET = "NOTIFY_SOCKET"
WATCHDOG_US, WATCHDOG_PID = "WATCHDOG_USEC", "WATCHDOG_PID"
_NEVER_S = math.inf
_EARLY = 0.9  # who comes once a period may come a little early
_WELL = "WATCHDOG=1"
_BAD = "Bad %s: expected a path, or @ and a name, got %r. systemd is told nothing."
_log = logging.getLogger("horus")


class Notifier:
    """The line to the service manager. From any thread; it waits for nobody."""

    def __init__(self, address: str, watchdog_s: float) -> None:
        """`watchdog_s`: within which it wants to hear of us; infinite where it does not."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s
        self.period_s = watchdog_s / 2
        """How often to say that all is well."""
        self._next_s = 0.0
        self._shown = ""
        self._ready = False
        self._unsent: list[str] = []
        self._lock = threading.Lock()
        self._runs = 0
        self._failed = False

    def ready(self, status: str) -> None:
        """The nodes of a run have started. The first of the process makes the service ready."""
        with self._lock:
            self._runs += 1
            self._shown = status
            self._say(f"STATUS={_line(status)}" if self._ready else f"READY=1\nSTATUS={_line(status)}")
            self._ready = True

    def starting(self, status: str, within_s: float) -> None:
        """Not ready yet, and that is as it should be: systemd hears of it again within `within_s`, or may give up."""
        with self._lock:
            self._shown = status
            self._say(f"EXTEND_TIMEOUT_USEC={int(within_s * 1e6)}\nSTATUS={_line(status)}")

    def status(self, text: str) -> None:
        """What `systemctl status` shows; nothing is sent when it shows that already."""
        with self._lock:
            if text != self._shown:
                self._shown = text
                self._say(f"STATUS={_line(text)}")

    def alive(self) -> None:
        """All is well at this moment. Said as often as asked for, however often this is called."""
        now_s = time.monotonic()
        if now_s < self._next_s and not self._unsent:
            return
        with self._lock:
            self._next_s = now_s + self.period_s * _EARLY
            self._say(_WELL if math.isfinite(self.period_s) else "")

    def stopping(self, status: str) -> None:
        """A run stops. The last of the process stops the service."""
        with self._lock:
            self._runs -= 1
            self._say(f"STATUS={_line(status)}" if self._runs > 0 else f"STOPPING=1\nSTATUS={_line(status)}")

    def _say(self, message: str) -> None:
        """What cannot be sent now is sent with the next; a watchdog's word that is late is worth nothing."""
        waiting = [*self._unsent, message] if message else self._unsent
        sent = next((number for number, one in enumerate(waiting) if not self._sent(one)), len(waiting))
        self._unsent = [late for late in waiting[sent:] if late != _WELL]

    def _sent(self, message: str) -> bool:
        """False when it may be tried again; whatever else goes wrong is said once, and nobody waits for it."""
        try:
            self._send(message)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if not self._failed:
                self._failed = True
                _log.warning(
                    "systemd is not told how this run goes (%s=%r): %s", SOCKET, self._address, error
                )
        return True

    def _send(self, message: str) -> None:
        import socket  # noqa: PLC0415 - slow to import, and only services need it

        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            line.connect(self._address)
            line.send(message.encode("utf-8", "replace"))


_notifier: Notifier | None = None
_guard = threading.Lock()


def notifier() -> Notifier | None:
    """The line to who started this process, if that wants to be told. Takes the variables out of the environment."""
    global _notifier  # noqa: PLW0603 - one a process, as the variables are
    if SOCKET in os.environ:
        with _guard:
            address = os.environ.pop(SOCKET, "")
            watchdog_s = _watchdog_s()
            if address[:1] in ("/", "@") and len(address) > 1:
                _notifier = Notifier(address, watchdog_s)
            elif address:
                _log.warning(_BAD, SOCKET, address)
    return _notifier


def _watchdog_s() -> float:
    """Infinite where nobody watches, or another process is watched."""
    text, whom = os.environ.pop(WATCHDOG_US, ""), os.environ.pop(WATCHDOG_PID, "")
    with suppress(ValueError):
        if text and (not whom or int(whom) == os.getpid()) and int(text) > 0:
            return int(text) / 1e6
    return _NEVER_S


def _line(text: str) -> str:
    return " ".join(text.split())


def _forget_in_child() -> None:
    """A forked child does not speak for the service."""
    global _notifier, _guard
    _notifier, _guard = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_in_child)
