"""HORUS topics over an MQTT broker: `horus.Topic("status", backend="mqtt")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import horus

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.abc import Bridge

HORUS_PLUGIN_API = 1


@horus.hookimpl
def horus_register_backends(register: Callable[[type[Bridge]], None]) -> None:
    """Supply the backend `mqtt`."""
    from horus_mqtt.bridge import Mqtt  # noqa: PLC0415 - paho is imported where it is used

    register(Mqtt)
