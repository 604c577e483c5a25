"""Commands over control topics: what may be asked, and what is called for it.

A request is a dict, `{"cmd": "StopNode", "node": "arm", "id": "7"}` on `horus.ctl.{scheduler}`; its answer, on the
same topic with `.reply` behind, has the same `id`, `ok`, and with `ok` false an `error` in words.

`scheduler` holds what every scheduler answers. A part of HORUS adds its own by `register`; a launcher, or whoever
else answers on a topic, makes `Commands` of its own.
"""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core import names
from horus_core.errors import ConfigError, HorusError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Handler = Callable[["Request"], Mapping[str, Any] | None]

REPLY = ".reply"
_PREFIX = "horus.ctl."
_MOST_SHOWN = 100
_HASHED = 12


def topic_of(scheduler: str) -> str:
    """The control topic of the scheduler that has this unique name (that of its record)."""
    topic = _PREFIX + scheduler
    room = names.MAX_NAME - len(REPLY)
    if len(topic) <= room:
        return topic
    from hashlib import sha256  # noqa: PLC0415 - slow to import, and few names are that long

    return topic[: room - _HASHED - 1] + "-" + sha256(scheduler.encode()).hexdigest()[:_HASHED]


def reply_topic(topic: str) -> str:
    """Where what is asked on that topic is answered."""
    return topic + REPLY


class Request(NamedTuple):
    """What somebody asked, as a handler gets it. Nothing in it can be trusted to be of the right type."""

    cmd: str
    fields: Mapping[str, Any]
    """The whole message."""
    target: Any
    """Who is asked: a scheduler, a launcher."""
    timeout_s: float
    """How long the asker waits; what takes longer goes on, and was answered as not done."""

    def text(self, name: str) -> str:
        """A field that has to be text; raises ConfigError for any other."""
        value = self.fields.get(name)
        if isinstance(value, str) and value:
            return value
        raise self.bad(name, "text")

    def number(self, name: str) -> float:
        """A field that has to be a finite number; raises ConfigError for any other."""
        value = self.fields.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        raise self.bad(name, "a number")

    def flag(self, name: str) -> bool:
        """A field that is true or false; false where there is none."""
        value = self.fields.get(name, False)
        if isinstance(value, bool):
            return value
        raise self.bad(name, "true or false")

    def bad(self, name: str, expected: str) -> ConfigError:
        """What to raise for a field that is not as it has to be."""
        got = short(self.fields[name]) if name in self.fields else "nothing"
        return ConfigError(f"{self.cmd} failed: expected {name!r} to be {expected}, got {got}.")


class NotDone(HorusError):  # noqa: N818 - it tells a state
    """Raised, or answered, for what was asked for and is not done in time: it may be later."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.answer = {"pending": True}


class Command(NamedTuple):
    """What is called for a command."""

    handler: Handler | str
    slow: bool


class Commands:
    """The commands that somebody answers, by name."""

    def __init__(self) -> None:
        self._known: dict[str, Command] = {}

    def register(self, cmd: str, handler: Handler | str, *, slow: bool = False) -> None:
        """Have the handler called for a command; what it returns is added to the answer, what it raises is the error.

        It is called on the process's control thread, on which nothing else is answered meanwhile: it returns soon.
        With `slow` it gets a thread of its own: what waits for a node, or runs a user's code, is slow. A handler that
        is given as "module:function" is imported when it is asked for.
        """
        self._known[cmd] = Command(handler, slow)

    def names(self) -> list[str]:
        """What may be asked."""
        return sorted(self._known)

    def find(self, cmd: object) -> Command:
        """The command of that name; raises ConfigError where there is none."""
        found = self._known.get(cmd) if isinstance(cmd, str) else None
        if found is None:
            raise ConfigError(
                f"Unknown command: expected 'cmd' to be one of {', '.join(self.names())}, got {short(cmd)}."
            )
        return found


def handler_of(command: Command) -> Handler:
    """The function to call."""
    handler = command.handler
    if isinstance(handler, str):
        module, _, name = handler.partition(":")
        function: Handler = getattr(importlib.import_module(module), name)
        return function
    return handler


def short(value: object) -> str:
    """What somebody sent, as an error shows it."""
    text = repr(value[:_MOST_SHOWN]) if isinstance(value, (str, bytes)) else repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


scheduler = Commands()
"""What every scheduler answers: the handlers' `target` is a Scheduler."""
register = scheduler.register

process = Commands()
"""What a process without a scheduler answers that has parameters: the target is its name, and that of its node."""

for _known in (scheduler, process):
    _known.register("GetParams", "horus_core.params.remote:get_params", slow=True)
    _known.register("SetParam", "horus_core.params.remote:set_params", slow=True)
    _known.register("DeleteParam", "horus_core.params.remote:delete_param", slow=True)
