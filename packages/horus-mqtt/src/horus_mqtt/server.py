"""Where the broker is: the variable HORUS_MQTT."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from horus import ConfigError

VARIABLE = "HORUS_MQTT"
_PORTS = {"mqtt": 1883, "mqtts": 8883}


class Server(NamedTuple):
    """A broker's address."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None


def configured() -> Server:
    """What HORUS_MQTT says: `mqtt://user:password@host:port`, or mqtts:// for TLS. Default: mqtt://localhost:1883.

    Raises ConfigError for anything else.
    """
    text = os.environ.get(VARIABLE) or "mqtt://localhost"
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        found, port = urlsplit(""), None
    if found.scheme not in _PORTS or not found.hostname or found.path.strip("/"):
        raise ConfigError(
            f"Bad {VARIABLE}: expected an address like mqtt://robot.local:1883, got {text!r} (pid={os.getpid()})."
        )
    return Server(
        found.hostname,
        port or _PORTS[found.scheme],
        found.scheme == "mqtts",
        unquote(found.username) if found.username else None,
        unquote(found.password) if found.password else None,
    )
