"""A broker of the tests' own: mosquitto on a port of 127.0.0.1."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time

import pytest

LIMIT_S = 20.0


class Broker:
    """A mosquitto that can be ended and started again."""

    def __init__(self, folder) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process = None

    def start(self) -> None:
        command = [
            shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin"),
            "-c",
            str(self._config),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + LIMIT_S
        while not self._answers():
            assert self._process.poll() is None, "mosquitto ended"
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(LIMIT_S)


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """The broker of all tests."""
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    one = Broker(tmp_path_factory.mktemp("broker"))
    one.start()
    yield one
    one.end()


@pytest.fixture(autouse=True)
def _server(broker, monkeypatch):
    monkeypatch.setenv("HORUS_MQTT", f"mqtt://127.0.0.1:{broker.port}")
