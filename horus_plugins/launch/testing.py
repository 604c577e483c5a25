"""Launching a file in a test: `with horus.testing.launched("robot.yaml", topics=["pose"]) as session:`."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from horus_core.errors import HorusTimeoutError
from horus_core.shm import namespace as namespaces
from horus_core.testing.namespaces import new_namespace, remove_namespace
from horus_core.topics.topic import Topic
from horus_plugins.launch.file.launch_file import load
from horus_plugins.launch.session.background import Running

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_POLL_S = 0.01


@contextmanager
def launched(
    path: str | Path, *, topics: Iterable[str] = (), timeout_s: float = 60.0, **choice: Any
) -> Iterator[Running]:
    """Run a launch file in a namespace of its own until the end of the block; then nothing of it is left.

    Inside of the block this process is in that namespace, too (HORUS_NAMESPACE). It begins when every node is ready
    and something was published on each of `topics`. `choice` is what LaunchFile.plan takes: `only`, `sets`, ... With
    `namespace` it runs in that one, of which nothing is removed: others may be in it.

    Raises LaunchError for a file that is wrong, a node that crashed or could not be started, also if that happened
    inside of the block; HorusTimeoutError when it takes longer.
    """
    given = choice.pop("namespace", None)
    name = given or new_namespace()
    before = os.environ.get(namespaces.VARIABLE)
    os.environ[namespaces.VARIABLE] = name
    try:
        with Running(load(path).plan(namespace=name, **choice)) as session:
            deadline = time.monotonic() + timeout_s
            session.wait_ready(timeout_s)
            _wait_for_messages(list(topics), deadline, session)
            yield session
            if session.exit_code != 0:  # a test may have ended it
                session.wait_ready(timeout_s)
    finally:
        if before is None:
            del os.environ[namespaces.VARIABLE]
        else:
            os.environ[namespaces.VARIABLE] = before
        if not given:
            remove_namespace(name)


def _wait_for_messages(topics: list[str], deadline: float, session: Running) -> None:
    handles = [Topic(topic) for topic in topics]
    try:
        while waiting := [handle.name for handle in handles if handle.latest() is None]:
            if time.monotonic() >= deadline:
                raise HorusTimeoutError(
                    f"Session {session.plan.session!r} published nothing on {', '.join(waiting)} in time "
                    f"(pid={session.pid}).\n{session.tail()}"
                )
            session.wait_ready(max(0.0, deadline - time.monotonic()))
            time.sleep(_POLL_S)
    finally:
        for handle in handles:
            handle.close()
