"""Who does what: the topics, and the processes that send and receive on them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Channel:
    """A topic."""

    name: str
    kind: str
    """A key of payloads.KINDS."""
    capacity: int | None = None
    latched: bool = False


@dataclass(frozen=True)
class Sending:
    """What a process sends on one topic: at each `every`-th step `burst` messages."""

    topic: str
    every: int = 1
    burst: int = 1


@dataclass(frozen=True)
class Receiving:
    """How a process receives from one topic."""

    topic: str
    every: int = 1
    """At each `every`-th step..."""
    most: int = 100_000
    """... so many messages at most."""
    depth: int | str | None = None
    """Of a node's subscription: None is strict FIFO, "auto" passes over what is old."""
    hold_s: float = 0.0
    """How long images are kept after they came."""
    untyped: bool = False
    """Whether the subscriber learns the type from the topic."""


@dataclass(frozen=True)
class Role:
    """A process. Its `style` is "node" (horus.run), "handles" (horus.Topic in a loop) or "nursery" (forks)."""

    name: str
    style: str
    rate: float
    sends: tuple[Sending, ...] = ()
    receives: tuple[Receiving, ...] = ()
    restarts: bool = False
    relays: tuple[tuple[str, str], ...] = ()
    """(from, to): what is received on one topic is sent on the other as it is."""
    by_command: bool = False
    """Whether `horus run` starts it."""
    wait_on: str | None = None
    """The topic that a process of handles sleeps on, instead of keeping its rate."""
    pool_mib: float | None = None
    """What HORUS_POOL_BUDGET says to it."""
    faults: tuple[str, ...] = ()
    """For tests of the verdict: "memory", "descriptors", "shm", "lies", "silence"."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Role:
        """The role of a to_dict()."""
        return cls(
            **{
                **found,
                "sends": tuple(Sending(**one) for one in found["sends"]),
                "receives": tuple(Receiving(**one) for one in found["receives"]),
                "relays": tuple((a, b) for a, b in found["relays"]),
                "faults": tuple(found["faults"]),
            }
        )


@dataclass(frozen=True)
class Workload:
    """All of it."""

    channels: tuple[Channel, ...]
    roles: tuple[Role, ...]
    life_s: tuple[float, float] = (4.0, 24.0)
    """How long processes live that are restarted."""
    pause_s: float = 8.0
    """How often some process is stopped for a moment, on average; 0: never."""
    index: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index.update((channel.name, number) for number, channel in enumerate(self.channels))


def _names(start: str, count: int) -> list[str]:
    return [f"{start}{i}" for i in range(count)]


def _send(names: list[str], every: int = 1, burst: int = 1) -> tuple[Sending, ...]:
    return tuple(Sending(name, every, burst) for name in names)


def _recv(names: list[str], **how: Any) -> tuple[Receiving, ...]:
    return tuple(Receiving(name, **how) for name in names)


SMALL, WIDE, VARIED, BIG = _names("small.", 8), _names("wide.", 4), _names("varied.", 3), _names("big.", 2)
PLAIN, NESTED, ARRAYS = _names("plain.", 8), _names("nested.", 3), _names("arrays.", 3)
GROWING = ["growing"]  # each message a little longer than the last
IMAGES, PICTURES, DEPTHS = _names("image.", 3), ["picture"], ["depth"]
CLOUDS, TENSORS = _names("cloud.", 2), _names("tensor.", 2)
LATCHED = ["latched.map", "latched.pose", "latched.config", "latched.plan"]
SHARED = ["shared.typed", "shared.dict"]  # every publisher that is restarted sends here
BRIEF = ["brief.typed", "brief.dict"]  # what the nursery's children send on
RELAYED = "relayed.image"


def _channels() -> tuple[Channel, ...]:
    kinds = [
        (SMALL, "small"), (WIDE, "wide"), (VARIED, "varied"), (BIG, "big"), (PLAIN, "dict"), (NESTED, "nested"),
        (ARRAYS, "arrays"), (IMAGES, "image"), (PICTURES, "picture"), (DEPTHS, "depth"),
        (CLOUDS, "cloud"), (TENSORS, "tensor"), ([RELAYED], "image"), (SHARED[:1], "small"), (SHARED[1:], "nested"),
        (BRIEF[:1], "varied"), (BRIEF[1:], "dict"),
    ]  # fmt: skip
    made = [Channel(name, kind) for names, kind in kinds for name in names]
    made += [Channel(name, "growing", capacity=32) for name in GROWING]
    made += [
        Channel(name, kind, latched=True)
        for name, kind in zip(LATCHED, ("wide", "small", "nested", "dict"), strict=True)
    ]
    return tuple(made)


def _long_lived() -> list[Role]:
    everything = SMALL + WIDE + VARIED + PLAIN + NESTED
    return [
        Role("base", "node", 50, _send(SMALL[:4]) + _send(WIDE[:2], 2) + _send(SHARED, 5)),
        Role("arm", "handles", 40, _send(PLAIN[:4]) + _send(NESTED[:2], 2) + _send(ARRAYS[:2], 4)
             + _send(BIG[:1], 4)),
        Role("burst", "handles", 10, _send(SMALL[6:], 20, 1200) + _send(PLAIN[6:], 25, 600) + _send(VARIED[:1])),
        Role("camera", "node", 10, _send(IMAGES + DEPTHS + CLOUDS + TENSORS) + _send(PICTURES, 2)),
        Role("keeper", "node", 10, _send(LATCHED, 5) + _send(VARIED[1:2] + GROWING), pool_mib=3),
        Role("recorder", "node", 100, receives=_recv(everything + SHARED + BRIEF)),
        Role("viewer", "handles", 30, receives=_recv(IMAGES + DEPTHS + CLOUDS + TENSORS + PICTURES + [RELAYED])
             + _recv(ARRAYS + GROWING + BIG) + _recv(LATCHED), wait_on=IMAGES[0]),
        Role("slow", "handles", 2, receives=_recv(SMALL + PLAIN + SHARED, most=40) + _recv(IMAGES[:2], most=2)
             + _recv(ARRAYS[:1] + GROWING + BIG[:1], most=5)),
        Role("holder", "handles", 10, receives=_recv(IMAGES + CLOUDS[:1] + TENSORS[:1], every=4, hold_s=2.0)),
        Role("nursery", "nursery", 4, _send(BRIEF + SHARED[:1]), _recv(LATCHED[:1] + SHARED[1:] + IMAGES[:1])),
    ]  # fmt: skip


def _restarted() -> list[Role]:
    return [
        Role("wheel", "node", 30, _send(SMALL[3:6] + SHARED + VARIED[1:]), restarts=True),
        Role("gripper", "handles", 30, _send(PLAIN[3:6] + SHARED + WIDE[1:3]), restarts=True),
        Role("lidar", "node", 10, _send(CLOUDS[1:] + SHARED + BIG, burst=2), restarts=True, by_command=True),
        Role("planner", "handles", 20, _send(NESTED[2:] + ARRAYS[2:] + SHARED + IMAGES[2:]),
             _recv(SMALL[:3] + LATCHED), restarts=True),
        Role("control", "node", 50, _send(WIDE[3:]),
             _recv(SMALL[:5] + WIDE[:2], depth="auto", every=3, most=2) + _recv(SHARED), restarts=True),
        Role("panel", "node", 15, (), _recv(PLAIN + NESTED, depth="auto", every=2, most=3) + _recv(LATCHED),
             restarts=True, by_command=True),
        Role("logger", "handles", 20, (), _recv(PLAIN + SHARED, untyped=True) + _recv(ARRAYS + GROWING + BIG),
             restarts=True, wait_on=PLAIN[0]),
        Role("detector", "node", 20, _send(SMALL[5:6]), _recv(IMAGES + DEPTHS, depth="auto", hold_s=0.5),
             restarts=True),
        Role("relay", "handles", 30, (), _recv(IMAGES[:1]), restarts=True, relays=((IMAGES[0], RELAYED),)),
        Role("display", "handles", 10, (), _recv([*IMAGES, *PICTURES, *TENSORS, RELAYED], hold_s=0.5), restarts=True),
    ]  # fmt: skip


def full() -> Workload:
    """20 processes, 50 topics."""
    return Workload(_channels(), (*_long_lived(), *_restarted()))


def small(faults: dict[str, tuple[str, ...]] | None = None) -> Workload:
    """5 processes, 8 topics, for a run of seconds; `faults` by the name of the role."""
    faults = faults or {}
    channels = (
        Channel("small.0", "small"), Channel("small.1", "small", capacity=64), Channel("plain.0", "dict"),
        Channel("arrays.0", "arrays", capacity=16), Channel("image.0", "image"), Channel("shared", "small"),
        Channel("latched", "nested", latched=True), Channel("brief", "dict"),
    )  # fmt: skip
    roles = (
        Role("base", "node", 50, (*_send(["small.0", "plain.0", "arrays.0", "image.0"], 5), Sending("latched", 10),
                                  Sending("small.1", 25, 300)), faults=faults.get("base", ())),
        Role("recorder", "handles", 100, receives=_recv(["small.0", "plain.0", "arrays.0", "image.0", "shared",
                                                         "brief"]), wait_on="small.0",
             faults=faults.get("recorder", ())),
        Role("slow", "node", 10, (), _recv(["small.1", "image.0"], every=10, most=30)
             + _recv(["plain.0"], depth="auto", every=5, most=2),
             faults=faults.get("slow", ())),
        Role("nursery", "nursery", 4, _send(["brief"]), _recv(["latched"]), faults=faults.get("nursery", ())),
        Role("wheel", "handles", 30, _send(["shared"]), _recv(["latched", "small.0"]), restarts=True,
             faults=faults.get("wheel", ())),
    )  # fmt: skip
    return Workload(channels, roles, life_s=(0.7, 1.5), pause_s=2.0)
