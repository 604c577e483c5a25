"""Awaiting a topic when something goes wrong while the task sleeps."""

from __future__ import annotations

import asyncio

import pytest

import horus
from horus_core.shm import namespace, process
from horus_core.topics import waiter

LIMIT_S = 20.0


async def _asleep(topic: horus.Topic) -> asyncio.Task:
    """A task that awaits the topic's next message, and whose thread is on its way to sleep."""
    task = asyncio.create_task(topic.recv_async())
    await asyncio.sleep(0)
    assert topic in waiter._waiters
    return task


# spec: F24
def test_an_error_that_comes_while_a_task_waits_is_raised_in_the_task():
    """A region that cannot be trusted appears under the name: the await raises, and does not hang."""

    async def main():
        topic = horus.Topic("late")
        task = await _asleep(topic)
        member = process.member()
        region = namespace.SHM / namespace.topic_region(member.namespace, "late")
        region.write_bytes(b"x" * 8192)
        member.bump()
        with pytest.raises(horus.RegionError, match="late"):
            await asyncio.wait_for(task, LIMIT_S)

    asyncio.run(main())
