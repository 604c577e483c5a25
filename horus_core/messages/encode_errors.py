"""What an encoding that failed says, and the text form of datetimes: walks that success never pays for."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Any

from horus_core.errors import EncodeError
from horus_core.messages import codec

if TYPE_CHECKING:
    from collections.abc import Iterator

_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_KEY_SHOWN = 40
_STEPS_SHOWN = 12
_TOO_DEEP = "got a value that is nested too deeply"


def explain(value: Any, topic: str, node: str) -> EncodeError:
    """The error for a value that MessagePack cannot carry, with the path of the culprit."""
    try:
        steps, reason = _find(value) or ([], _TOO_DEEP)  # what is left when every part can be encoded
    finally:
        codec.forget_apart()
    return EncodeError(
        f"Sending on topic {topic!r} failed: expected a value that MessagePack carries (dict, list, str, bytes, "
        f"int of 64 bits, float, bool, None, numpy array), {reason} at {_path(steps)} (node={node!r}). Nothing was "
        "sent. Convert it first, or declare a message class."
    )


def _path(steps: list[str]) -> str:
    if len(steps) > _STEPS_SHOWN:
        half = _STEPS_SHOWN // 2
        steps = [*steps[:half], "…", *steps[-half:]]
    return "$" + "".join(steps)


def _find(value: Any) -> tuple[list[str], str] | None:
    """The steps to the culprit and what is wrong with it. The value may be deeper than Python's stack."""
    steps: list[str] = []
    above: list[int] = []
    sound: set[int] = set()  # containers that were looked through: one may be in many places
    ways: list[Iterator[tuple[Any, str]]] = [iter([(value, "")])]
    while ways:
        child, step = next(ways[-1], (None, None))
        if step is None:
            ways.pop()
            if above:
                sound.add(above.pop())
                steps.pop()
            continue
        children = _children(child)
        reason = _wrong(child, above) if children is None or id(child) in above else None
        if reason is None and len(above) > sys.getrecursionlimit():
            reason = _TOO_DEEP
        if reason is not None:
            return [*steps, step], reason
        if children is not None and id(child) not in sound:
            above.append(id(child))
            steps.append(step)
            ways.append(children)
    return None


def _children(value: Any) -> Iterator[tuple[Any, str]] | None:
    if isinstance(value, dict):
        return _of_dict(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return ((item, f"[{index}]") for index, item in enumerate(value))
    return None


def _of_dict(value: dict[Any, Any]) -> Iterator[tuple[Any, str]]:
    for key in value:
        yield key, f".<key {_shown(key)}>"
    for key, item in value.items():
        yield item, f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{_shown(key)}]"


def _shown(key: object) -> str:
    try:
        shown = ascii(key)
    except Exception:  # noqa: BLE001 - a key of somebody's class, or an int of too many digits
        return f"a {type(key).__name__}"
    return shown if len(shown) <= _KEY_SHOWN else f"{shown[:_KEY_SHOWN]}…"


def _wrong(value: Any, above: list[int]) -> str | None:
    if id(value) in above:
        return "got a container that contains itself"
    if isinstance(value, int) and not _INT_MIN <= value <= _INT_MAX:
        return "got an integer of more than 64 bits"
    try:
        codec.encode(value)
    except RecursionError:
        return _TOO_DEEP
    except Exception as error:  # noqa: BLE001 - whatever the encoder says is the reason
        text = _text(error)
        return text if text.startswith("got ") else f"got {type(value).__name__} ({text})"
    return None


def _text(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error of somebody's class
        return type(error).__name__


def with_datetimes_as_text(value: Any) -> Any:
    """The value with aware datetimes as ISO 8601 text; MessagePack's own timestamps are for others to send."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {_key_with_text(key): with_datetimes_as_text(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [with_datetimes_as_text(item) for item in value]
    return value


def _key_with_text(key: Any) -> Any:
    """As above, for what must be hashable after it, too."""
    if isinstance(key, (tuple, frozenset)):
        return tuple(_key_with_text(item) for item in key)
    return key.isoformat() if isinstance(key, dt.datetime) else key
