"""`horus topic pub`: values into messages of the topic's type, at a rate, and what became of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from horus_core import _native
from horus_core.errors import ConfigError, HorusError, HorusTimeoutError, TopicTypeError
from horus_core.messages import registry
from horus_core.names import publishable, topic_name
from horus_core.plugins.reasons import ended
from horus_core.shm import namespace as namespaces
from horus_core.shm import pool, region, upkeep
from horus_core.text import plain_name
from horus_core.topics import types
from horus_plugins.echo import arguments, json_text, record
from horus_plugins.echo.known import POOLED, KnownTopic
from horus_plugins.echo.record import BadValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from horus_plugins.echo.record import Record

NODE = "horus-pub"
"""What stands for it among a topic's publishers."""

_NS = 1_000_000_000
_POLL_S = 0.01
_LINGER_S = 2.0
_HOLD_S = 0.5


class Published(msgspec.Struct):
    """What was sent, as far as it went."""

    namespace: str
    topic: str
    type: str
    sent: int
    dropped: int
    """Messages that the topic did not take: no slot or no block of memory was free."""
    subscribers: int
    """Who subscribed at the end."""


def type_named(said: str) -> type:
    """The class for `--type`: dict, Image and its kin, or as `horus msg show` takes it. Raises HorusError."""
    from horus_plugins.monitor import message_lookup  # noqa: PLC0415 - not needed where the topic is there

    if said == "dict":
        return dict
    if said in POOLED:
        return POOLED[said]
    return message_lookup.find(said)


class Publisher:
    """A topic to publish on, of the type `wanted`, else of the topic that is there, else of the first message."""

    def __init__(
        self, topic: str, tell: Callable[[str], None], *, wanted: str | None = None, latched: bool = False
    ) -> None:
        self.name = publishable(topic_name(topic))
        self._tell = tell
        self._latched = latched
        self._topic: KnownTopic | None = None
        self.sent = 0
        self.dropped = 0
        there = region.identity(namespaces.topic_region(namespaces.current(), self.name)) is not None
        cls = None if wanted is None else type_named(wanted)
        if cls is not None and not (there and self._is_of(cls)):
            self._open(cls)
        elif there and self._topic is None:
            self._open(None)

    def _is_of(self, cls: type) -> bool:
        """Whether the topic that is there is of the class, and so opened; False when it may be replaced.

        Raises TopicTypeError when others use it with another type.
        """
        topic = self._open(None)
        ring = topic.look()
        wanted = types.of_class(cls)
        found = wanted if ring is None else types.of_ring(ring)
        if ring is not None and found == wanted:
            return True
        in_use = ring is not None and ring.in_use(True)
        topic.close()
        self._topic = None
        if in_use:
            raise TopicTypeError(
                f"Publishing on topic {self.name!r} failed: expected --type {found.name}, which its users have, got "
                f"{wanted.name}. Leave out --type, or use another topic name."
            )
        return False

    def _open(self, cls: type | None) -> KnownTopic:
        topic = KnownTopic(self.name, cls, latched=self._latched, backend="shm", _node=NODE)
        ring = topic.look()
        if self._latched and ring is not None and not ring.latched:
            self._tell(f"topic {self.name!r} is there already and not latched: --latched has no effect")
        self._topic = topic
        return topic

    def type_for(self, name: str) -> type:
        """The topic's type; where there is no topic yet it is made, of the type of that name, or of dicts."""
        topic = self._topic
        if topic is None:
            topic = self._open(self._new(name))
        cls = topic.type
        if cls is None:
            raise ConfigError(
                f"Topic {self.name!r} has no type yet: expected --type, got nothing to tell it by."
            )
        return cls

    def _new(self, name: str) -> type:
        if name:
            try:
                return type_named(name)
            except HorusError as error:
                raise ConfigError(
                    f"{error} To publish what another topic carries whose class is not installed: --type topic:NAME."
                ) from None
        close = [cls for cls in registry.all_types().values() if cls.__topic__ == self.name]
        hint = f": --type {close[0].__name__} for what this name is used for" if close else ""
        self._tell(f"topic {self.name!r} is new, and carries dicts{hint}")
        return dict

    def send(self, said: Record, where: str = "") -> None:
        """Publish one value. Raises ConfigError for what does not fit; `where` it came from."""
        cls = self.type_for(said.type)
        assert self._topic is not None
        try:
            stored = self._topic.send(record.build(said, cls))
        except (BadValueError, TypeError, ValueError) as error:
            raise self.bad(error, where) from None
        if stored:
            self.sent += 1
        else:
            self.dropped += 1

    def bad(self, error: Exception, where: str = "") -> HorusError:
        """What to raise for a value that does not fit."""
        text = ended(plain_name(str(error)))
        return ConfigError(f"Publishing on topic {self.name!r} failed{where and f' ({where})'}: {text}")

    def wait_for_subscriber(self, seconds: float) -> None:
        """Wait until somebody subscribes. Raises HorusTimeoutError."""
        until = time.monotonic() + seconds
        while not self.subscribers():
            if time.monotonic() >= until:
                raise HorusTimeoutError(
                    f"Nobody subscribed to topic {self.name!r}: expected a subscriber within {seconds:g} s, got "
                    "none. Start it, or leave out --wait."
                )
            time.sleep(_POLL_S)

    @staticmethod
    def hold() -> None:
        """Stay until Ctrl+C."""
        while True:
            upkeep.look()
            time.sleep(_HOLD_S)

    def subscribers(self) -> int:
        """How many there are now."""
        return 0 if self._topic is None else len(self._topic.subscribers)

    def close(self) -> Published:
        """Leave the topic. Subscribers get a moment to take payloads: they lie in this process's memory."""
        topic, cls, count = self._topic, None, self.subscribers()
        if topic is not None:
            cls = topic.type
            self._linger(topic)
            topic.close()
        name = "" if cls is None else cls.__name__
        return Published(namespaces.current(), self.name, name, self.sent, self.dropped, count)

    @staticmethod
    def _linger(topic: KnownTopic) -> None:
        ring = topic.ring
        if ring is None or pool.of_member(ring.member).usage()["blocks"] == 0:
            return
        until = time.monotonic() + _LINGER_S
        while any(row["cursor"] < ring.front for row in ring.subscribers()) and time.monotonic() < until:
            time.sleep(_POLL_S)


class Pace:
    """Sleeps to the releases of a rate in Hz: on a grid, so that lateness does not add up. None: no sleeping."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._start_ns = 0
        self._number = 0
        if rate is not None:
            _native.set_timer_slack(1)

    def wait(self) -> None:
        """Sleep to the next release; the first is now. Who is late by more than a period begins a new grid."""
        if self._rate is None:
            return
        now = _native.now_ns()
        due = self._start_ns + int(self._number * _NS / self._rate)
        if self._number == 0 or now - due > _NS / self._rate:
            self._start_ns, self._number, due = now, 0, now
        self._number += 1
        while (left := due - _native.now_ns()) > 0:
            time.sleep(left / _NS)


def said_of(result: Published) -> str:
    """One line for people."""
    dropped = f", {result.dropped} dropped" if result.dropped else ""
    kind = f" ({plain_name(result.type)})" if result.type else ""
    who = "1 subscriber" if result.subscribers == 1 else f"{result.subscribers or 'no'} subscribers"
    return f"sent {result.sent} on {result.topic!r}{kind}{dropped}, {who}"


def repeat(publisher: Publisher, said: Record, pace: Pace, count: int | None) -> None:
    """Send one value `count` times; None: until Ctrl+C."""
    while count is None or publisher.sent + publisher.dropped < count:
        pace.wait()
        publisher.send(said)


def typed(publisher: Publisher, words: Sequence[str]) -> Record:
    """What the user typed, checked against the topic's type. Raises ConfigError."""
    try:
        whole = json_text.decode(words[0]).type if len(words) == 1 else ""
    except BadValueError:
        whole = ""
    cls = publisher.type_for(whole)
    try:
        return arguments.parse(words, cls)
    except BadValueError as error:
        raise publisher.bad(error) from None


def after_subscriber(
    publisher: Publisher, records: Iterator[tuple[str, Record]], seconds: float
) -> Iterator[tuple[str, Record]]:
    """The same, once somebody subscribes: a topic that is new is made with the first message's type."""
    for number, (where, said) in enumerate(records):
        if number == 0:
            publisher.type_for(said.type)
            publisher.wait_for_subscriber(seconds)
        yield where, said


def pour(publisher: Publisher, records: Iterator[tuple[str, Record]], pace: Pace, count: int | None) -> None:
    """Send what comes, (where, record) for each, at most `count` of them."""
    for where, said in records:
        pace.wait()
        publisher.send(said, where)
        if count is not None and publisher.sent + publisher.dropped >= count:
            return
