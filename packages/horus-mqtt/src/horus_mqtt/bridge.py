"""The bridge: one connection to the broker for all topics of a process.

A topic `arm/pose` of the namespace `robot` is carried on `horus/robot/now/arm/pose`. What latecomers get is retained
with an expiry (MQTT 5) on `horus/robot/type/arm/pose` and `horus/robot/last/arm/pose`.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from horus_core.abc import Bridge, Link
from horus_mqtt import server

if TYPE_CHECKING:
    from horus_core.backends.port import Port

_KEEPALIVE_S = 15
_CONNECT_S = 5.0
# What is not on the wire yet, and so in paho's memory. What comes then waits in the topic's ring.
_FLYING_MOST = 64
_FLYING_MOST_BYTES = 16 << 20
_WRITE_S = 2.0
_NOW = "now"


class Mqtt(Bridge):
    """Carries topics over an MQTT broker (MQTT 5)."""

    name = "mqtt"

    @classmethod
    def check_settings(cls) -> None:
        """Raise ConfigError for a HORUS_MQTT that is no address."""
        server.configured()

    def __init__(self, namespace: str) -> None:
        """Connect to the broker that HORUS_MQTT names. Raises OSError when there is none."""
        super().__init__(namespace)
        self._ports: dict[str, Port] = {}
        self._flying: deque[tuple[mqtt.MQTTMessageInfo, int]] = deque()
        self._flying_bytes = 0
        at = server.configured()
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.connect_timeout = _CONNECT_S
        client.reconnect_delay_set(1, 5)
        client.on_connect = self._connected
        client.on_message = self._heard
        if at.user is not None:
            client.username_pw_set(at.user, at.password)
        if at.tls:
            client.tls_set()
        client.connect(at.host, at.port, _KEEPALIVE_S)
        client.loop_start()

    def open(self, port: Port) -> Link:
        """Subscribe; where the connection is not up yet, that is done once it is."""
        self._ports[port.topic] = port
        self._subscribe(port.topic)
        return _MqttLink(self, port.topic)

    def close(self) -> None:
        """Disconnect once everything is written."""
        while self._flying and self._land():
            pass
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, slot: str, topic: str, packet: bytes, seconds: float | None) -> bool:
        """False: the connection is not up, or writes too slowly."""
        if not self._client.is_connected() or not self._has_room():
            return False
        keep = None
        if seconds is not None:
            keep = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            keep.MessageExpiryInterval = math.ceil(seconds)
        info = self._client.publish(
            self._address(slot, topic), packet, qos=0, retain=seconds is not None, properties=keep
        )
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            return False
        self._flying.append((info, len(packet)))
        self._flying_bytes += len(packet)
        return True

    def forget(self, topic: str) -> None:
        """Unsubscribe."""
        self._ports.pop(topic, None)
        self._client.unsubscribe(self._address("+", topic))

    def _address(self, slot: str, topic: str) -> str:
        return f"horus/{self.namespace}/{slot}/{topic}"

    def _subscribe(self, topic: str) -> None:
        self._client.subscribe(self._address("+", topic), options=SubscribeOptions(qos=0, noLocal=True))

    def _has_room(self) -> bool:
        while self._flying and self._flying[0][0].is_published():
            self._take_oldest()
        if len(self._flying) < _FLYING_MOST and self._flying_bytes < _FLYING_MOST_BYTES:
            return True
        return self._land()

    def _land(self) -> bool:
        """Wait for the oldest packet to be written. After a while it is given up: the connection broke under it."""
        oldest = self._take_oldest()
        oldest.wait_for_publish(_WRITE_S)
        return oldest.is_published()

    def _take_oldest(self) -> mqtt.MQTTMessageInfo:
        oldest, size = self._flying.popleft()
        self._flying_bytes -= size
        return oldest

    # On paho's thread

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure:
            for topic in list(self._ports):
                self._subscribe(topic)

    def _heard(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        port = self._ports.get(message.topic.split("/", 3)[3])
        if port is not None:
            port.deliver(message.payload)


class _MqttLink(Link):
    def __init__(self, bridge: Mqtt, topic: str) -> None:
        self._bridge = bridge
        self._topic = topic

    def send(self, packet: bytes) -> bool:
        return self._bridge.publish(_NOW, self._topic, packet, None)

    def keep(self, slot: str, packet: bytes, seconds: float) -> bool:
        return self._bridge.publish(slot, self._topic, packet, seconds)

    def close(self) -> None:
        self._bridge.forget(self._topic)
