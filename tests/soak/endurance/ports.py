"""How a process reaches its topics: through a node, or through handles of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import horus
from endurance import payloads
from endurance.ear import Ear
from endurance.mouth import Mouth

if TYPE_CHECKING:
    from endurance.journal import SendJournal
    from endurance.workload import Channel, Receiving, Role


class Ports:
    """The ears and mouths of one process."""

    def __init__(self, role: Role, channels: list[Channel], record: SendJournal, name: str) -> None:
        self._role, self._record, self._name = role, record, name
        self._channels = {channel.name: (number, channel) for number, channel in enumerate(channels)}
        self.handles: dict[str, horus.Topic] = {}
        self.mouths: dict[str, Mouth] = {}
        self.ears: dict[str, Ear] = {}

    def keywords(self) -> dict[str, Any]:
        """`pubs` and `subs` for a node."""
        sent = [one.topic for one in self._role.sends] + [to for _, to in self._role.relays]
        return {
            "pubs": [horus.Pub(name, *self._shape(name)) for name in sent],
            "subs": [
                horus.Sub(one.topic, None if one.untyped else self._shape(one.topic)[0], one.depth)
                for one in self._role.receives
            ],
        }

    def through_node(self, node: horus.Node, publisher: int, before_ns: int) -> list[dict[str, Any]]:
        """Bind to a node whose topics were opened since `before_ns`; lines for the journal."""

        def stats(name: str) -> dict[str, Any]:
            return node._horus.wiring.topics[
                name
            ].stats()  # a node shows the figures of its topics to nobody yet

        for name in self._sent():
            self._add_mouth(name, lambda message, name=name: node.send(name, message), stats, publisher)
        return [
            self._add_ear(
                how, (lambda name=how.topic: node.recv(name), lambda name=how.topic: stats(name)), before_ns
            )
            for how in self._role.receives
        ]

    def through_handles(self, publisher: int) -> list[dict[str, Any]]:
        """Open a handle for each ear and each mouth; lines for the journal."""
        lines = []
        for how in self._role.receives:
            before_ns = time.monotonic_ns()
            handle = self._open(how.topic, typed=not how.untyped)
            self.handles[how.topic] = handle
            lines.append(self._add_ear(how, (handle.recv, handle.stats), before_ns))
        for name in self._sent():
            handle = self._open(name)
            self.handles[f"{name} to send"] = handle
            self._add_mouth(name, handle.send, lambda _, handle=handle: handle.stats(), publisher)
        return lines

    def close(self) -> None:
        """Leave all topics."""
        for handle in self.handles.values():
            handle.close()
        self.handles.clear()

    def _sent(self) -> list[str]:
        return [one.topic for one in self._role.sends] + [to for _, to in self._role.relays]

    def _shape(self, name: str) -> tuple[Any, int | None, bool]:
        channel = self._channels[name][1]
        return payloads.KINDS[channel.kind][0], channel.capacity, channel.latched

    def _open(self, name: str, *, typed: bool = True) -> horus.Topic:
        cls, capacity, latched = self._shape(name)
        return horus.Topic(name, cls if typed else None, capacity=capacity, latched=latched)

    def _place(self, name: str) -> tuple[int, str]:
        number, channel = self._channels[name]
        return number, channel.kind

    def _add_mouth(self, name: str, send: Any, stats: Any, publisher: int) -> None:
        mouth = Mouth(send, lambda: stats(name), self._record, self._place(name), publisher)
        mouth.lies = "lies" in self._role.faults
        self.mouths[name] = mouth

    def _add_ear(self, how: Receiving, port: tuple[Any, Any], before_ns: int) -> dict[str, Any]:
        ear = self.ears[how.topic] = Ear(port, f"{self._name}:{how.topic}", self._place(how.topic), how)
        return ear.opened(before_ns, latched=self._channels[how.topic][1].latched)
