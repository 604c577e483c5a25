"""Nodes with execution="uvloop": they tick, await beside each other, and end, as on HORUS's own event loop."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time

import pytest
import uvloop

import horus

LIMIT_S = 30.0


@pytest.fixture(autouse=True)
def _namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def running():
    """Runs nodes in the background until the end of the test, which raises what the run raised."""
    schedulers = []

    def start(*nodes):
        scheduler = horus.Scheduler()
        for node in nodes:
            scheduler.add(node)
        schedulers.append(scheduler)
        scheduler.start()
        return scheduler

    yield start
    for scheduler in schedulers:
        scheduler.request_stop()
        assert scheduler.join(LIMIT_S)


def test_all_callbacks_run_on_uvloop():
    """init, tick and shutdown are awaited in one loop of uvloop's, on a thread of its own, which closes it."""
    loops, threads = set(), set()

    def note():
        loops.add(asyncio.get_running_loop())
        threads.add(threading.get_ident())

    class Api(horus.Node):
        async def init(self):
            note()

        async def tick(self):
            note()
            await asyncio.sleep(0.001)
            if horus.tick() == 2:
                self.request_stop()

        async def shutdown(self):
            note()

    scheduler = horus.Scheduler()
    scheduler.add(Api("api", rate=200, execution="uvloop"))
    scheduler.run()
    (loop,) = loops
    assert isinstance(loop, uvloop.Loop)
    assert loop.is_closed()
    assert threading.get_ident() not in threads
    stats = scheduler.get_node_stats("api")
    assert (stats["class"], stats["total_ticks"]) == ("uvloop", 3)


def test_nodes_that_do_not_name_it_stay_where_they_are():
    """It takes no other async node: those of the same scheduler run on asyncio's loop."""
    loops = {}

    async def tick(node):
        loops[node.name] = asyncio.get_running_loop()
        if len(loops) == 2:
            node.request_stop()

    horus.run(horus.Node("theirs", tick=tick, rate=100), horus.Node("ours", tick=tick, execution="uvloop"))
    assert isinstance(loops["ours"], uvloop.Loop)
    assert not isinstance(loops["theirs"], uvloop.Loop)


def test_awaits_overlap(running):
    """Two nodes meet in the middle of a tick of each: while one awaits, the other goes on."""
    met, reached = threading.Event(), {}

    async def tick(node):
        events = reached.setdefault("events", {"a": asyncio.Event(), "b": asyncio.Event()})
        events[node.name].set()
        await events["b" if node.name == "a" else "a"].wait()
        met.set()

    running(*(horus.Node(name, tick=tick, rate=50, execution="uvloop") for name in "ab"))
    assert met.wait(LIMIT_S)


def test_topics_are_awaited(running):
    """recv_async() wakes on uvloop."""
    heard = []
    done = threading.Event()

    async def listen(node):
        with horus.Topic("words", dict) as topic:
            heard.append(await topic.recv_async())
        done.set()

    with horus.Topic("words", dict) as topic:
        running(horus.Node("listener", tick=listen, rate=50, execution="uvloop"))
        deadline = time.monotonic() + LIMIT_S
        while not done.wait(0.01):
            assert time.monotonic() < deadline
            topic.send({"n": 1})
    assert heard[0] == {"n": 1}


def test_real_connections(running):
    """A node fetches from a server over TCP while another ticks on: no tick waits for the network of others."""
    answers = []
    enough = threading.Event()

    async def serve(reader, writer):
        writer.write(b"you said " + await reader.readline())
        writer.close()

    class Server(horus.Node):
        async def init(self):
            self.server = await asyncio.start_server(serve, "127.0.0.1", 0)
            self.port = self.server.sockets[0].getsockname()[1]

        async def tick(self):
            pass

        async def shutdown(self):
            self.server.close()
            await self.server.wait_closed()

    server = Server("server", rate=10, execution="uvloop")

    async def fetch(node):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"%d\n" % horus.tick())
        answers.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        if len(answers) >= 5:
            enough.set()

    running(server, horus.Node("client", tick=fetch, rate=100, order=1, execution="uvloop"))
    assert enough.wait(LIMIT_S)
    assert answers[:5] == [b"you said %d\n" % n for n in range(5)]


def test_a_plain_tick_is_refused():
    """The error names this class and says what to write."""
    with pytest.raises(horus.ConfigError, match="expected an async tick, as execution='uvloop' asks for"):
        horus.run(horus.Node("n", tick=lambda: None, execution="uvloop"))


ENDLESS = """
import asyncio
import horus


class Endless(horus.Node):
    async def tick(self):
        print("ticks", flush=True)
        while not scheduler.is_stopping():
            await asyncio.sleep(0.002)
        print("stops", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            print("cancelled", flush=True)

    async def shutdown(self):
        print("shutdown", type(asyncio.get_running_loop()).__module__, flush=True)


scheduler = horus.Scheduler()
scheduler.add(Endless("endless", rate=10, execution="uvloop"))
scheduler.run()
"""


def test_ctrl_c_cancels_what_awaits_for_ever():
    """A second Ctrl+C cuts the grace of 5 s short: the tick is cancelled where it awaits, and shutdown() runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "ticks\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "stops\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
        process.communicate()
    assert out == "cancelled\nshutdown uvloop\n"
    assert process.returncode == 0, err
