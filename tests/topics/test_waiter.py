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


FORKED = """
import asyncio
import os
import warnings
import horus
from horus_core.topics import waiter

warnings.simplefilter("ignore")  # Python warns of a fork beside threads: that is what this is about
topic = horus.Topic("t", dict)

async def parent():
    task = asyncio.create_task(topic.recv_async())
    await asyncio.sleep(0)
    assert topic in waiter._waiters
    child = os.fork()  # while the thread of the parent's waiter sleeps
    if child == 0:
        asyncio._set_running_loop(None)
        asyncio.run(asyncio.wait_for(receive(), 20))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    topic.send({"who": "parent"})
    while (message := await task)["who"] != "parent":
        task = asyncio.create_task(topic.recv_async())

async def receive():
    task = asyncio.create_task(topic.recv_async())
    await asyncio.sleep(0)
    horus.Topic("t", dict).send({"who": "child"})
    assert await task == {"who": "child"}

asyncio.run(asyncio.wait_for(parent(), 40))
print("done")
"""


def test_a_forked_child_awaits_with_threads_of_its_own(program):
    """A topic that the parent awaited at the fork can be awaited in the child, which lacks the parent's threads."""
    out, _ = program(FORKED).finish()
    assert out.strip() == "done"
