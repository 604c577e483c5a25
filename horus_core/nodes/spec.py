"""Which topics a node publishes and subscribes: what `pubs=` and `subs=` may hold, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from horus_core import _native, names, prefix
from horus_core.errors import ConfigError, InvalidNameError
from horus_core.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Depth = int | Literal["auto"] | None

# The native core's words for depths that are no numbers.
FIFO = -1
_AUTO = 0


class Pub(Frozen):
    """A topic that a node publishes; a message class instead of a name only declares that it is used."""

    topic: str | type
    type: type | None = None
    capacity: int | None = None
    latched: bool = False
    backend: str | None = None

    def __post_init__(self) -> None:
        _check(self, "Pub")
        if isinstance(self.topic, str):
            names.publishable(self.topic)
        if not isinstance(self.latched, bool):
            raise ConfigError(f"Bad Pub(latched=...): expected True or False, got {self.latched!r}.")


class Sub(Frozen):
    """A topic that a node subscribes.

    `depth` is how many unread messages the next tick still sees: "auto" is 4, or 2 for images and their kin;
    None is strict FIFO, nothing is ever passed over.
    """

    topic: str | type
    type: type | None = None
    depth: Depth = "auto"
    capacity: int | None = None
    backend: str | None = None

    def __post_init__(self) -> None:
        _check(self, "Sub")
        if self.depth is not None and self.depth != "auto":
            _positive("Sub(depth=...)", self.depth, 'a whole number of at least 1, None or "auto"')

    def native_depth(self) -> int:
        """The depth as the native core wants it."""
        if self.depth is None:
            return FIFO
        return _AUTO if self.depth == "auto" else self.depth


_Spec = TypeVar("_Spec", Pub, Sub)


def is_message_class(value: object) -> bool:
    """Whether the value is a class that topics can carry."""
    return isinstance(value, type) and (issubclass(value, _native.MessageBase) or is_pooled(value))


def is_pooled(value: type | None) -> bool:
    """Whether the class keeps its payload in the pool (Image and its kin)."""
    return value is not None and issubclass(value, _native.PooledBase)


def default_topic(key: object, node: str) -> str:
    """The topic that a message class stands for."""
    topic = getattr(key, "__topic__", None) if is_message_class(key) else None
    if isinstance(topic, str):
        return topic
    raise InvalidNameError(
        f"Bad topic: expected a topic name, or a message class with a default topic, got {key!r} "
        f"(node={node!r}). Use the name."
    )


def parse_pubs(value: object) -> list[Pub]:
    """The Pub objects that a `pubs=` means."""
    return _parse("pubs", value, Pub)


def parse_subs(value: object) -> list[Sub]:
    """The Sub objects that a `subs=` means."""
    return _parse("subs", value, Sub)


def by_topic(specs: Iterable[_Spec]) -> dict[str, _Spec]:
    """The specs that name a topic, by that name; classes alone claim none."""
    return {spec.topic: spec for spec in specs if isinstance(spec.topic, str)}


def _parse(keyword: str, value: Any, make: type[_Spec]) -> list[_Spec]:
    if value is None:
        return []
    if isinstance(value, (str, type, Pub, Sub)):
        found = [_one(keyword, value, make)]
    elif isinstance(value, dict):
        found = _from_dict(keyword, value, make)
    elif isinstance(value, (list, tuple, set, frozenset)):
        found = [_one(keyword, item, make) for item in value]
    else:
        raise _bad(keyword, value)
    _refuse_twice(keyword, found)
    return found


def _one(keyword: str, item: Any, make: type[_Spec]) -> _Spec:
    if isinstance(item, make):
        return item
    if isinstance(item, str) or is_message_class(item):
        return make(item)
    raise _bad(keyword, item)


def _from_dict(keyword: str, value: Mapping[Any, Any], make: type[_Spec]) -> list[_Spec]:
    for topic, message_type in value.items():
        if not isinstance(topic, str) or not (message_type in (None, dict) or is_message_class(message_type)):
            raise _bad(keyword, {topic: message_type})
    return [make(topic, message_type) for topic, message_type in value.items()]


def _refuse_twice(keyword: str, specs: list[_Spec]) -> None:
    seen = set()
    for spec in specs:
        if spec.topic in seen:
            raise ConfigError(f"Bad {keyword}: expected each topic once, got {spec.topic!r} twice.")
        seen.add(spec.topic)


def _bad(keyword: str, value: object) -> ConfigError:
    kind = "Pub" if keyword == "pubs" else "Sub"
    return ConfigError(
        f"Bad {keyword}: expected a topic name, a message class, horus.{kind}(...), a list of these, or a "
        f"dict {{topic: class}}, got {value!r}."
    )


def _check(spec: Pub | Sub, kind: str) -> None:
    if isinstance(spec.topic, str):
        object.__setattr__(spec, "topic", prefix.topic(spec.topic))
    elif not is_message_class(spec.topic):
        raise ConfigError(f"Bad {kind}: expected a topic name or a message class, got {spec.topic!r}.")
    elif spec.type is not None:
        raise ConfigError(
            f"Bad {kind}: expected a topic name beside type={spec.type!r}, got the class {spec.topic!r}."
        )
    if spec.type is not None and spec.type is not dict and not is_message_class(spec.type):
        raise ConfigError(f"Bad {kind}(type=...): expected a message class or dict, got {spec.type!r}.")
    if spec.capacity is not None:
        _positive(f"{kind}(capacity=...)", spec.capacity, "a whole number of at least 1, or None")


def _positive(what: str, value: object, expected: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"Bad {what}: expected {expected}, got {value!r}.")
