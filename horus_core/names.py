"""The rules of names: one validator for API, command line and launch files."""

from __future__ import annotations

import re

from horus_core.errors import InvalidNameError

MAX_NAME = 128

_TOPIC = re.compile(r"[A-Za-z0-9_./-]{1,128}", re.ASCII)
_NODE = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_RESERVED = ("horus.", "_horus.")
# Where tools and other nodes send orders to schedulers and launchers.
_CONTROL = re.compile(r"_horus\.estop|horus\.(launch\.)?ctl\..+")
_NO_NODE = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
_NAMESPACE = re.compile(r"[A-Za-z0-9_-]{1,48}", re.ASCII)


def topic_name(name: str) -> str:
    """Return the topic name without a leading `/`, or raise InvalidNameError."""
    _require_str("topic", name)
    stripped = name.removeprefix("/")
    if not _TOPIC.fullmatch(stripped):
        raise _bad("topic", name, "1 to 128 characters of A-Z a-z 0-9 _ . / -")
    parts = stripped.split("/")
    if any(part in ("", "..") for part in parts):
        raise _bad("topic", name, "no empty and no '..' part between slashes")
    return stripped


def is_reserved(topic: str) -> bool:
    """Whether the topic is one of HORUS's own."""
    return topic.startswith(_RESERVED)


def unreserved(topic: str) -> str:
    """Return the topic's name if it is none of HORUS's own, or raise InvalidNameError."""
    if is_reserved(topic):
        raise _bad(
            "topic", topic, "a name that does not start with 'horus.' or '_horus.', which are HORUS's own"
        )
    return topic


def publishable(topic: str) -> str:
    """Return the topic's name if users may publish on it, or raise InvalidNameError.

    Names that start with `horus.` or `_horus.` are the framework's. Everybody may subscribe to them; of the
    control topics, to which tools send, everybody may be a publisher, too.
    """
    if is_reserved(topic) and not _CONTROL.fullmatch(topic):
        raise InvalidNameError(
            f"Publishing on topic {topic!r} failed: expected a name that does not start with 'horus.' or '_horus.', "
            "which are reserved for HORUS itself. You may subscribe to it; publish on another name."
        )
    return topic


def node_name(name: str) -> str:
    """Return the node name, or raise InvalidNameError."""
    _require_str("node", name)
    if not _NODE.fullmatch(name) or name in (".", ".."):
        raise _bad("node", name, "1 to 128 characters of A-Z a-z 0-9 _ . -")
    return name


def param_name(name: str) -> str:
    """Return the parameter's name, or raise InvalidNameError."""
    _require_str("parameter", name)
    if not _TOPIC.fullmatch(name):
        raise _bad("parameter", name, "1 to 128 characters of A-Z a-z 0-9 _ . / -")
    return name


def as_node_name(text: str) -> str:
    """Return the node name nearest to the text (a file's name may be anything); "" where none is near."""
    near = _NO_NODE.sub("_", text)[:MAX_NAME]
    return "" if near in (".", "..") else near


def namespace_name(name: str) -> str:
    """Return the namespace, or raise InvalidNameError."""
    _require_str("namespace", name)
    if not _NAMESPACE.fullmatch(name):
        raise _bad("namespace", name, "1 to 48 characters of A-Z a-z 0-9 _ -")
    return name


def _require_str(kind: str, name: object) -> None:
    if not isinstance(name, str):
        raise InvalidNameError(f"Bad {kind} name: expected str, got {type(name).__name__}.")


def _bad(kind: str, name: str, rule: str) -> InvalidNameError:
    shown = name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"
    return InvalidNameError(f"Bad {kind} name: expected {rule}, got {shown!r}. Choose another name.")
