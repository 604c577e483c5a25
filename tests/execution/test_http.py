"""AsyncIo with an HTTP client that others wrote (httpx), and a real server."""

from __future__ import annotations

import asyncio
import gc
import http.server
import threading
from typing import ClassVar

import httpx
import pytest

from horus_core.nodes.node import Node
from horus_core.scheduler import patience
from horus_core.scheduler.run import run


class Weather(Node):
    """Asks a server in each tick, by a client that it has from its init() to its shutdown()."""

    def __init__(self, name, port, timeout=20.0, rate=100):
        super().__init__(name, rate=rate)
        self.url = f"http://127.0.0.1:{port}"
        self.timeout = timeout
        self.said = []
        self.failed = []

    async def init(self):
        self.client = httpx.AsyncClient(base_url=self.url, timeout=self.timeout, trust_env=False)

    async def tick(self):
        answer = await self.client.get(f"/{self.name}")
        answer.raise_for_status()
        self.said.append(answer.json())
        self.send("weather", self.said[-1])

    def on_error(self, error):
        self.failed.append(error)

    async def shutdown(self):
        await self.client.aclose()


@pytest.fixture
def server():
    """An HTTP server; its `together` lets it answer only when as many requests are inside at once."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        together = None
        release = threading.Event()
        connections: ClassVar = set()

        def do_GET(self):
            self.connections.add(self.client_address)
            if self.together is not None:
                self.together.wait(20)
            if self.path == "/silent":
                self.release.wait(20)
            body = f'{{"place": "{self.path}"}}'.encode()
            self.send_response(500 if self.path == "/broken" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *args):
            """A client that hung up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        server.handler = Handler
        yield server
        Handler.release.set()
        server.shutdown()
        thread.join()


# spec: B9, B17, D16
def test_awaits_of_two_nodes_overlap_at_a_real_server(server):
    """Two nodes wait for one HTTP server at the same time: it answers none of them before both have asked."""
    server.handler.together = threading.Barrier(2)
    nodes = [Weather(name, server.server_port, rate=0.1) for name in ("north", "south")]

    def stop_when_both_heard(node):
        if all(one.said for one in nodes):
            node.request_stop()

    run(*nodes, Node("guard", tick=stop_when_both_heard, rate=200))
    assert [node.said[0] for node in nodes] == [{"place": "/north"}, {"place": "/south"}]
    assert [node.failed for node in nodes] == [[], []]


# spec: B9
def test_a_client_lives_as_long_as_its_node(server, running, until):
    """What init() opened serves every tick: all requests over one connection, which shutdown() closes."""
    node = Weather("north", server.server_port)
    scheduler = running(node)
    until(lambda: len(node.said) >= 8)
    scheduler.stop()
    assert scheduler.join(20)
    assert len(server.handler.connections) == 1
    assert node.client.is_closed
    assert scheduler.get_node_stats("north")["errors_count"] == 0
    assert scheduler.get_node_stats("north")["class"] == "async_io"


# spec: E10, F12
def test_what_the_client_raises_is_a_failure_of_the_tick(server, running, until):
    """A status of 500 and a time that ran out reach on_error; the nodes go on."""
    broken = Weather("broken", server.server_port)
    silent = Weather("silent", server.server_port, timeout=0.05)
    scheduler = running(broken, silent)
    until(lambda: len(broken.failed) > 1 and len(silent.failed) > 1)
    assert {type(error) for error in broken.failed} == {httpx.HTTPStatusError}
    assert all(
        isinstance(error, httpx.TimeoutException) for error in silent.failed
    )  # whatever it had no time for
    assert scheduler.get_node_stats("silent")["state"] in ("running", "error")


# spec: F17
def test_a_request_that_is_never_answered_is_cancelled_at_stop(server, monkeypatch, caplog, recwarn):
    """After the time of grace: the request ends, the client closes, and nothing is left to warn of."""
    monkeypatch.setattr(patience, "PATIENCE_S", 0.4)
    node = Weather("silent", server.server_port)
    asked = Node("guard", tick=lambda guard: server.handler.connections and guard.request_stop(), rate=200)
    with caplog.at_level("WARNING"):
        run(node, asked)
    assert "is cancelled" in caplog.text
    assert node.client.is_closed
    assert node.said == node.failed == []
    gc.collect()
    assert [str(one.message) for one in recwarn] == []
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
