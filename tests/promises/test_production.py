"""What robots do in production, as users are told to write it: services, garbage collection, memory, health."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import os
import resource
import signal
import threading
import tracemalloc
import urllib.error
import urllib.request

import numpy as np
import pytest

import horus

MAIN = """
import os
import horus

def tick(node):
    if "FAIL" in os.environ and horus.tick() == 3:
        raise OSError("no answer from the motor")
    if horus.tick() == 5:
        print("ticks")

print("starts")
horus.run(horus.Node("motor", tick=tick, rate=200, rt=True, shutdown=lambda: print("shutdown")))
print("after run")
"""


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def collector():
    """The garbage collector, which is as it was afterwards."""
    thresholds = gc.get_threshold()
    yield gc
    gc.set_threshold(*thresholds)
    gc.enable()


def logs_of(name, caplog):
    return [one.getMessage() for one in caplog.records if one.name == f"horus.node.{name}"]


# spec: D8, D9
def test_a_service_is_plain_python(program):
    """`python -u main.py` without terminal, command or rights: run() blocks until SIGTERM, and exits with 0."""
    service = program(MAIN, INVOCATION_ID="0" * 32)
    service.wait_for("ticks")
    assert service.process.poll() is None
    service.process.send_signal(signal.SIGTERM)
    out, _ = service.finish()
    assert out.splitlines() == ["shutdown", "after run"]


# spec: D8, E9
def test_a_service_that_fails_exits_so_that_it_is_restarted(program):
    """The traceback on stderr, all nodes shut down, an exit code that is not 0: systemd starts it again."""
    service = program(MAIN, INVOCATION_ID="0" * 32, FAIL="1")
    out, err = service.process.communicate(timeout=30)
    assert service.process.returncode == 1
    assert out.splitlines() == ["starts", "shutdown"]
    assert err.rstrip().endswith("OSError: no answer from the motor")


# spec: D23, D24, D25
def test_a_motor_that_does_without_the_collector(collector, caplog):
    """gc.disable() in init(), thresholds that are logged there, a fatal policy, 1 kHz; None where nothing waits."""
    got = []

    def init(node):
        gc.disable()
        gc.set_threshold(1500, 15, 15)
        node.log_info(f"GC thresholds: {gc.get_threshold()}")

    def tick(node):
        got.append((gc.isenabled(), node.recv("cmd_vel")))
        if len(got) == 3:
            node.request_stop()

    motor = horus.Node(
        name="motor", tick=tick, init=init, rate=1000, subs=["cmd_vel"], failure_policy="fatal", budget=0.009
    )
    with caplog.at_level("INFO", "horus.node.motor"):
        horus.run(motor)
    assert set(got) == {(False, None)}
    assert logs_of("motor", caplog)[0] == "GC thresholds: (1500, 15, 15)"


# spec: D23
def test_ticks_make_no_work_for_the_collector(collector):
    """With the collector off nothing piles up: ticks, dicts, typed messages and images leave no cycles behind."""

    def talk(node):
        node.send("state", {"n": horus.tick(), "joints": [0.0] * 6})
        node.send("cmd_vel", horus.CmdVel(linear=1.0))
        image = horus.Image(8, 8, "mono8")
        image.to_numpy()[:] = 7
        node.send("camera.rgb", image)

    def listen(node):
        assert node.recv("state")["n"] == horus.tick()
        assert node.recv("cmd_vel").linear == 1.0
        assert node.recv("camera.rgb").to_numpy().max() == 7

    with horus.Scheduler() as scheduler:
        subs = ["state", "cmd_vel", "camera.rgb"]
        scheduler.add(horus.Node("talker", tick=talk, order=1))
        scheduler.add(horus.Node("ears", tick=listen, subs=subs, order=2))
        scheduler.tick_once()
        gc.collect()
        gc.disable()
        for _ in range(500):
            scheduler.tick_once()
        assert gc.collect() < 50, "500 ticks, and not a cycle for each"
        assert scheduler.get_node_stats("ears")["errors_count"] == 0


# spec: D26
def test_collecting_while_no_frame_waits(collector):
    """`gc.collect(generation=0)` in ticks without a message, by has_msg() of a topic of images."""
    done = []

    def camera(node):
        if horus.tick() % 2:
            node.send("camera.rgb", horus.Image.from_numpy(np.zeros((4, 4, 3), np.uint8)))

    def detect(node):
        if not node.has_msg("camera.rgb"):
            gc.collect(generation=0)
            done.append("collected")
        else:
            done.append(node.recv("camera.rgb").to_numpy().shape)

    with horus.Scheduler() as scheduler:
        scheduler.add(horus.Node("camera", tick=camera, order=1))
        scheduler.add(horus.Node("detector", tick=detect, subs=[horus.Image], order=2))
        for _ in range(4):
            scheduler.tick_once()
    assert done == ["collected", (4, 4, 3)] * 2


# spec: D27, D28
def test_a_leak_is_found_by_tracemalloc(caplog):
    """Snapshots every so many ticks, compared in the tick: the line that hoards messages is the first of the five."""
    hoard, before = [], []

    def init():
        tracemalloc.start(10)
        before.append(tracemalloc.take_snapshot())

    def tick(node):
        hoard.append(bytearray(10_000))  # it grows for ever: what a capped container would not
        if (horus.tick() + 1) % 100 == 0:
            for stat in tracemalloc.take_snapshot().compare_to(before[0], "lineno")[:5]:
                node.log_warning(str(stat))

    try:
        with horus.Scheduler() as scheduler:
            scheduler.add(horus.Node("leaky", tick=tick, init=init))
            for _ in range(100):
                scheduler.tick_once()
    finally:
        tracemalloc.stop()
    said = logs_of("leaky", caplog)
    assert len(said) == 5
    assert "test_production.py" in said[0]


# spec: D28
def test_messages_that_are_not_kept_are_gone():
    """A node that processes and discards holds nothing: each message, and each large block behind it, is let go."""
    sizes = []

    def tick(node):
        node.send("scan", {"ranges": np.zeros(100_000)})
        assert node.recv("scan")["ranges"].shape == (100_000,)
        sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    with horus.Scheduler() as scheduler:
        scheduler.add(horus.Node("n", tick=tick))
        for _ in range(300):
            scheduler.tick_once()
    assert sizes[-1] - sizes[50] < 100_000 * 8 * 100 / 1024, "200 MB went through"


# spec: D29
def test_a_resource_monitor_node(caplog):
    """A 1 Hz node sends {rss_mb, pid} on diagnostics.memory and warns above its limit."""
    limit_mb = 1.0

    def tick(node):
        rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        node.send("diagnostics.memory", {"rss_mb": rss_mb, "pid": os.getpid()})
        if rss_mb > limit_mb:
            node.log_warning(f"memory: {rss_mb:.0f} MB")

    with horus.Topic("diagnostics.memory", dict) as memory:
        horus.run(horus.Node("resources", pubs=["diagnostics.memory"], tick=tick, rate=1), duration=0)
        sent = memory.recv()
    assert sent["pid"] == os.getpid()
    assert sent["rss_mb"] > limit_mb
    assert logs_of("resources", caplog) == [f"memory: {sent['rss_mb']:.0f} MB"]


# spec: D22, D33, D21
def test_a_health_endpoint_as_an_async_node(until):
    """A node of its own answers on all addresses with the figures and the safety of all nodes, while they tick."""
    scheduler = horus.Scheduler()
    port = []

    class Health(horus.Node):
        async def init(self):
            self.server = await asyncio.start_server(self.answer, "0.0.0.0", 0)
            port.append(self.server.sockets[0].getsockname()[1])

        async def answer(self, reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            stats = {name: scheduler.get_node_stats(name) for name in scheduler.get_node_names()}
            status = b"200 OK" if all(one["errors_count"] == 0 for one in stats.values()) else b"503 Ill"
            body = json.dumps({"nodes": stats, "safety": scheduler.safety_stats()}).encode()
            writer.write(b"HTTP/1.0 " + status + b"\r\nContent-Type: application/json\r\n\r\n" + body)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async def tick(self):
            """Its server does the work."""

        async def shutdown(self):
            self.server.close()
            await self.server.wait_closed()

    broken = threading.Event()

    def read(node):
        if broken.is_set():
            raise OSError("unplugged")

    scheduler.add(Health("health", rate=1, failure_policy="isolate"))
    scheduler.add(horus.Node("sensor", tick=read, rate=200, failure_policy="ignore"))
    scheduler.add(horus.Node("motor", tick=lambda: None, rate=200, deadline=1.0, watchdog=1.0))
    assert scheduler.safety_stats() is None

    def ask():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port[0]}/", timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    scheduler.start()
    try:
        until(lambda: port)
        status, well = until(lambda: (got := ask())[1]["nodes"]["motor"]["total_ticks"] > 3 and got)
        assert status == 200
        assert well["safety"]["watchdog"]["timeouts"] == {"motor": 1.0}
        assert {one["health"] for one in well["safety"]["nodes"].values()} == {"healthy"}
        broken.set()
        ill = until(lambda: (got := ask())[0] == 503 and got)[1]
        assert ill["nodes"]["sensor"]["errors_count"] > 0
        assert ill["safety"]["nodes"]["sensor"]["health"] == "failing"
        assert ill["safety"]["nodes"]["motor"]["health"] == "healthy"
        assert ill["safety"]["deadline_misses"] == 0
    finally:
        scheduler.stop()
        assert scheduler.join(20)


# spec: E2, E5
def test_what_is_called_full_is_there():
    """Node class, annotations, states, errors, metrics and topics of a node, each by the name that users know."""
    seen = {}

    class Sensor(horus.Node):
        def init(self):
            seen["topics"] = (self.get_publishers(), self.get_subscribers())

        def tick(self):
            seen.setdefault("running", self.info.state() == horus.NodeState.RUNNING)
            seen["error"] = self.info.state() == horus.NodeState.ERROR
            self.info.transition_to_error("unplugged")
            raise OSError("no answer")

        def on_error(self, error):
            seen["metrics"] = self.info.get_metrics()
            seen["counts"] = (self.info.tick_count(), self.info.error_count(), self.info.successful_ticks())
            seen["uptime"] = self.info.get_uptime() > 0

    sensor = Sensor("sensor", pubs=["sensor.temp"], subs=["cmd"])
    with horus.Scheduler() as scheduler:
        scheduler.add(sensor)
        scheduler.tick_once()
        scheduler.tick_once()
    metrics = seen.pop("metrics")
    assert seen == {
        "topics": (["sensor.temp"], ["cmd"]), "running": True, "error": True, "counts": (2, 2, 0), "uptime": True,
    }  # fmt: skip
    assert (metrics["total_ticks"], metrics["failed_ticks"], metrics["successful_ticks"]) == (2, 2, 0)
    for function in (horus.Node.__init__, horus.Scheduler.__init__, horus.run):
        assert inspect.signature(function).return_annotation is not inspect.Signature.empty
