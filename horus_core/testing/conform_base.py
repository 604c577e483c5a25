"""What the tests of a backend share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from horus_core.topics.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT_S = 20.0
"""What only a failure reaches."""


@pytest.mark.usefixtures("horus_namespace")
class Conformance:
    """Tests of one backend; each opens its topics by `self.open`, which closes them."""

    backend = "shm"

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        self._opened: list[Topic] = []
        yield
        for topic in self._opened:
            topic.close()

    def open(self, name: str, type: type | None = None, **options: Any) -> Topic:  # noqa: A002 - as Topic has it
        """A handle over the backend."""
        topic = Topic(name, type, backend=self.backend, **options)
        self._opened.append(topic)
        return topic


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    pytest.fail(f"waited {LIMIT_S:g} s in vain for {what}")


def drain(topic: Topic) -> list[Any]:
    """All messages that are there."""
    found = []
    while (message := topic.recv()) is not None:
        found.append(message)
    return found
