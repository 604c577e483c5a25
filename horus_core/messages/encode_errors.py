"""What an encoding that failed says, and the text form of datetimes: walks that success never pays for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from horus_core.errors import EncodeError
from horus_core.messages import codec

_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_KEY_SHOWN = 40


def explain(value: Any, topic: str, node: str) -> EncodeError:
    """The error for a value that MessagePack cannot carry, with the path of the culprit."""
    path, reason = _find(value, "$", set()) or ("$", "cannot be encoded")
    codec.forget_apart()
    return EncodeError(
        f"Sending on topic {topic!r} failed: expected a value that MessagePack carries (dict, list, str, bytes, "
        f"int of 64 bits, float, bool, None, numpy array), {reason} at {path} (node={node!r}). Nothing was sent. "
        "Convert it first, or declare a message class."
    )


def _find(value: Any, path: str, above: set[int]) -> tuple[str, str] | None:
    if id(value) in above:
        return path, "got a container that contains itself"
    children = _children(value, path)
    if children is None:
        return _leaf(value, path)
    above.add(id(value))
    for child, child_path in children:
        found = _find(child, child_path, above)
        if found is not None:
            return found
    above.discard(id(value))
    return None


def _children(value: Any, path: str) -> list[tuple[Any, str]] | None:
    if isinstance(value, dict):
        pairs = [
            (key, f"{path}.<key {str(key)[:_KEY_SHOWN]!r}>") for key in value if not isinstance(key, str)
        ]
        return pairs + [(item, f"{path}{_step(key)}") for key, item in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [(item, f"{path}[{index}]") for index, item in enumerate(value)]
    return None


def _step(key: object) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


def _leaf(value: Any, path: str) -> tuple[str, str] | None:
    if isinstance(value, int) and not _INT_MIN <= value <= _INT_MAX:
        return path, "got an integer of more than 64 bits"
    try:
        codec.encode(value)
    except RecursionError:
        return path, "got a value that is nested too deeply"
    except Exception as error:  # noqa: BLE001 - whatever the encoder says is the reason
        text = str(error)
        return path, text if text.startswith("got ") else f"got {type(value).__name__} ({text})"
    return None


def with_datetimes_as_text(value: Any) -> Any:
    """The value with aware datetimes as ISO 8601 text; MessagePack's own timestamps are for others to send."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {with_datetimes_as_text(key): with_datetimes_as_text(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [with_datetimes_as_text(item) for item in value]
    return value
