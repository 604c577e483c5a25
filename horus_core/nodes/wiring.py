"""The topics of one node: what it declared, what it used, and how they open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core import prefix
from horus_core.errors import ConfigError
from horus_core.nodes import spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from horus_core._native import NodeBase
    from horus_core.topics.topic import Topic


class Declared(NamedTuple):
    """A topic as a node declares it."""

    topic: str
    """ "" for a class without a default topic."""
    type: type | None


class Wiring:
    """Opens a node's topics, and binds them where the native send() and recv() find them."""

    def __init__(
        self,
        node: NodeBase,
        name: str,
        pubs: object,
        subs: object,
        capacity: int | None,
        *,
        on: tuple[str, ...] = (),
        elsewhere: bool = False,
    ) -> None:
        """`on`: the topics that wake the node. It reads them, and all others, in strict FIFO.

        `elsewhere`: another process opens them.
        """
        self._elsewhere = elsewhere
        self._node = node
        self._name = name
        self._capacity = capacity
        self._before = prefix.current()
        self._specs = spec.parse_pubs(pubs), spec.parse_subs(subs)
        self._pubs, self._subs = spec.by_topic(self._specs[0]), spec.by_topic(self._specs[1])
        self._wakes = bool(on)
        for topic in on:
            self._subs.setdefault(topic, spec.Sub(topic))
        self._refuse_two_types()
        self._refuse_depth_of_events()
        self._used_pubs: dict[str, None] = {}
        self._used_subs: dict[str, None] = {}
        self._looked_at: dict[str, None] = {}
        self._remapped: dict[str, str] = {}
        self.topics: dict[str, Topic] = {}
        """What is open, by the names that the node uses."""

    def publishers(self) -> list[str]:
        """The names of the topics that were declared for publishing, or published."""
        return [self.real(name) for name in dict.fromkeys([*self._pubs, *self._used_pubs])]

    def subscribers(self) -> list[str]:
        """The names of the topics that were declared for subscribing, or received from."""
        return [self.real(name) for name in self._subscribed()]

    def looked_at(self) -> list[str]:
        """The names of the topics that were looked at with latest() and its kin, which make no subscriber."""
        return [self.real(name) for name in self._looked_at]

    def declarations(self) -> tuple[list[Declared], list[Declared]]:
        """What pubs= and subs= say, by the names that the node uses; a class alone stands for its default topic."""
        pubs, subs = ([_declared(one) for one in specs] for specs in self._specs)
        woken = [Declared(name, None) for name in self._subs if name not in {one.topic for one in subs}]
        return pubs, subs + woken

    def real(self, name: str) -> str:
        """The topic that the node gets when it uses that name."""
        return self._remapped.get(name, name)

    def called(self, name: str) -> str:
        """What a program calls the topic of that whole name (horus_core/prefix.py)."""
        if not self._before:
            return name
        return name.removeprefix(self._before) if name.startswith(self._before) else f"/{name}"

    def remap(self, topics: Mapping[str, str]) -> None:
        """Give the node other topics than those it names, from their next opening on: {its name: topic}."""
        self._remapped.update(topics)

    def rename(self, node: str) -> None:
        """Call the node that, in topics from their next opening on."""
        self._name = node

    @property
    def remapped(self) -> dict[str, str]:
        """Which topics the node gets instead of those it names."""
        return dict(self._remapped)

    def open_declared(self) -> None:
        """Open what pubs= and subs= name; classes alone open nothing."""
        if self._elsewhere:
            return
        for name in self._pubs:
            self.open_to_send(self.called(name))
        for name in self._subs:
            self.open_to_receive(self.called(name))

    def declared(self) -> tuple[list[spec.Pub], list[spec.Sub], int | None]:
        """What pubs=, subs= and capacity= said, to make such a node elsewhere."""
        return list(self._pubs.values()), list(self._subs.values()), self._capacity

    def open_to_send(self, key: str | type) -> None:
        """From now on the native send() finds the topic behind a name or class."""
        name, topic = self._open(key)
        self._used_pubs[name] = None
        self._node._horus_bind_send(key, topic)  # noqa: SLF001 - the native side of this wiring

    def open_to_receive(self, key: str | type) -> None:
        """From now on the native recv() finds the topic, and each tick begins with its fresh data."""
        name, topic = self._open(key)
        self._used_subs[name] = None
        declared = self._subs.get(name) or spec.Sub(name)
        depth = spec.FIFO if self._wakes else declared.native_depth()
        self._node._horus_bind_receive(key, topic, depth)  # noqa: SLF001

    def inlet(self, key: str | type) -> Topic:
        """The topic behind a name or class, for looking at it."""
        name, topic = self._open(key)
        self._looked_at[name] = None
        return topic

    def open_inlets(self) -> list[Topic]:
        """The subscribed topics that are open."""
        return [topic for name in self._subscribed() if (topic := self.topics.get(name)) is not None]

    def close(self) -> None:
        """Close all topics; they open again when they are used again."""
        self._node._horus_unbind()  # noqa: SLF001
        topics, self.topics = self.topics, {}
        for topic in topics.values():
            topic.close()

    def _subscribed(self) -> dict[str, None]:
        return dict.fromkeys([*self._subs, *self._used_subs, *self._looked_at])

    def _open(self, key: str | type) -> tuple[str, Topic]:
        """The name that the node uses for it, and the topic."""
        from horus_core.topics.topic import Topic  # noqa: PLC0415 - nodes are made without topics

        if isinstance(key, str):
            name, message_type = prefix.topic(key, self._before), None
        else:
            name, message_type = prefix.topic(spec.default_topic(key, self._name), self._before), key
        found = self.topics.get(name)
        if found is not None:
            return name, found
        topic = Topic(self.real(name), _node=self._name, **self._wanted(name, message_type))
        opened = self.topics.setdefault(name, topic)
        if opened is not topic:  # another thread was faster
            topic.close()
        return name, opened

    def _wanted(self, name: str, message_type: type | None) -> dict[str, Any]:
        """What pubs= and subs= say about a topic, as Topic's keywords."""
        pub, sub = self._pubs.get(name), self._subs.get(name)
        return {
            "type": (pub and pub.type) or (sub and sub.type) or message_type,
            "capacity": (pub and pub.capacity) or (sub and sub.capacity) or self._capacity,
            "latched": bool(pub and pub.latched),
            "backend": (pub and pub.backend) or (sub and sub.backend) or None,
        }

    def _refuse_depth_of_events(self) -> None:
        for sub in self._subs.values() if self._wakes else ():
            if sub.depth not in ("auto", None):
                raise ConfigError(
                    f"Bad depth of topic {sub.topic!r}: expected none in a node with on=, which passes over no "
                    f"message, got {sub.depth!r}. Leave it out."
                )

    def _refuse_two_types(self) -> None:
        for name in self._pubs.keys() & self._subs.keys():
            sent, received = self._pubs[name].type, self._subs[name].type
            if sent is not None and received is not None and sent is not received:
                raise ConfigError(
                    f"Bad types of topic {name!r}: expected one type, got {sent.__name__} in pubs and "
                    f"{received.__name__} in subs."
                )


def _declared(one: spec.Pub | spec.Sub) -> Declared:
    if isinstance(one.topic, str):
        return Declared(one.topic, one.type)
    default = getattr(one.topic, "__topic__", None)
    return Declared(prefix.topic(default) if default else "", one.topic)
