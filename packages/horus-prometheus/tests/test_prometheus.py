"""Metrics over HTTP while nodes run: real scrapes, read by prometheus-client's own parser."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from horus_prometheus.address import parse
from prometheus_client.parser import text_string_to_metric_families

import horus

LIMIT_S = 30.0


@pytest.fixture(autouse=True)
def _namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def port(monkeypatch):
    """A free one, to which HORUS_PROMETHEUS is set."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = probe.getsockname()[1]
    monkeypatch.setenv("HORUS_PROMETHEUS", f"127.0.0.1:{found}")
    return found


@pytest.fixture
def running():
    """Starts schedulers in the background, and ends them with the test."""
    schedulers = []

    def start(*nodes, **options):
        scheduler = horus.Scheduler(**options)
        for node in nodes:
            scheduler.add(node)
        schedulers.append(scheduler)
        scheduler.start()
        return scheduler

    yield start
    for scheduler in schedulers:
        scheduler.request_stop()
        assert scheduler.join(LIMIT_S)


def until(done):
    deadline = time.monotonic() + LIMIT_S
    while not (found := done()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


class Scrape:
    """What one scrape has found."""

    def __init__(self, port) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=LIMIT_S) as answer:
            text = answer.read().decode()
        self.samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def get(self, name, **labels):
        """The value of the sample with these labels; None without one."""
        found = [one.value for one in self.samples if one.name == name and one.labels == labels]
        assert len(found) <= 1
        return found[0] if found else None

    def states(self, node):
        """In which states the node is."""
        return [
            one.labels["horus_node_state"]
            for one in self.samples
            if one.name == "horus_node_state" and one.labels["node"] == node and one.value
        ]


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def ticked(scheduler, name, count):
    until(lambda: scheduler.get_node_stats(name)["total_ticks"] >= count)


def test_a_scrape_while_nodes_run(running, port):
    """Counters, durations, rates and the e-stop are those of the scheduler's stats; then the port is free."""

    def work():
        time.sleep(0.002)

    def fail():
        raise OSError("no current")

    late = horus.Node("late", tick=work, rate=100, deadline=0.001, order=1)
    failing = horus.Node("failing", tick=fail, rate=100, failure_policy="ignore", order=2)
    scheduler = running(late, failing, name="robot", ladder=None)
    ticked(scheduler, "failing", 5)
    until(lambda: scheduler.get_node_stats("late")["missed_deadlines"] >= 5)
    before = scheduler.get_node_stats("late")
    found = Scrape(port)
    after = scheduler.get_node_stats("late")

    def value(name, node="late", **labels):
        return found.get(f"horus_node_{name}", scheduler="robot", node=node, **labels)

    for name, key in (
        ("ticks_total", "total_ticks"),
        ("deadline_misses_total", "missed_deadlines"),
        ("skipped_releases_total", "skipped_releases"),
        ("tick_duration_seconds_count", "total_ticks"),
    ):
        assert before[key] <= value(name) <= after[key]
    assert value("ticks_total") >= 5
    assert value("deadline_misses_total") >= 5
    assert value("failed_ticks_total") == value("restarts_total") == value("hangs_total") == 0
    assert value("failed_ticks_total", "failing") >= 5
    assert value("tick_duration_seconds_sum") >= 0.002 * value("tick_duration_seconds_count")
    assert value("tick_duration_seconds", quantile="0.5") >= 0.0018, "to a tenth"
    assert value("tick_duration_seconds", quantile="0.99") >= value("tick_duration_seconds", quantile="0.5")
    assert value("rate_hertz") == 100
    assert found.get("horus_estop_engaged", scheduler="robot") == 0
    assert found.get("process_cpu_seconds_total") > 0
    scheduler.request_stop()
    assert scheduler.join(LIMIT_S)
    assert is_free(port)


def test_states_and_the_emergency_stop(running, port):
    """A node is in one state; a pause and an emergency stop show at the next scrape."""
    scheduler = running(horus.Node("arm", tick=lambda: None, rate=100), name="robot")
    ticked(scheduler, "arm", 1)
    assert Scrape(port).states("arm") == ["running"]
    scheduler.pause("arm")
    assert Scrape(port).states("arm") == ["paused"]
    scheduler.emergency_stop("test")
    assert Scrape(port).get("horus_estop_engaged", scheduler="robot") == 1


def test_two_schedulers_in_one_process(running, port):
    """They share the port, which stays until the last one stops; each node is told with its scheduler."""

    def ticks(of):
        return Scrape(port).get("horus_node_ticks_total", scheduler=of, node=f"{of}.arm")

    left, right = (
        running(horus.Node(f"{side}.arm", tick=lambda: None, rate=100), name=side)
        for side in ("left", "right")
    )
    ticked(left, "left.arm", 1)
    ticked(right, "right.arm", 1)
    assert ticks("left") >= 1
    assert ticks("right") >= 1
    left.request_stop()
    assert left.join(LIMIT_S)
    assert ticks("left") is None
    assert Scrape(port).get("horus_estop_engaged", scheduler="left") is None
    assert ticks("right") >= 1
    right.request_stop()
    assert right.join(LIMIT_S)
    assert is_free(port)


def test_run_after_run(port):
    """The port is served in each run, and free after each: the second finds it."""
    found = []

    def tick(node):
        found.append(Scrape(port))
        node.request_stop()

    for _ in range(2):
        horus.run(horus.Node("once", tick=tick, rate=10))
        assert is_free(port)
    labels = {"scheduler": "once", "node": "once"}
    assert [one.get("horus_node_rate_hertz", **labels) for one in found] == [10, 10]
    median = found[0].get("horus_node_tick_duration_seconds", quantile="0.5", **labels)
    assert math.isnan(median), "no tick had ended"


def test_a_run_that_does_not_begin_frees_the_port(port):
    """An init that raises leaves no server behind."""

    def init():
        assert Scrape(port).states("arm") == ["initializing"]
        raise OSError("no motor")

    with pytest.raises(OSError, match="no motor"):
        horus.run(horus.Node("arm", init=init, tick=lambda: None))
    until(lambda: is_free(port))


def program(code, **variables):
    """Runs it in a process of its own, without HORUS_PROMETHEUS unless that is given: (stdout, stderr)."""
    environment = {name: value for name, value in os.environ.items() if name != "HORUS_PROMETHEUS"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=environment | variables, check=True, capture_output=True, text=True, timeout=LIMIT_S
    )
    return done.stdout, done.stderr


def test_off_unless_it_is_set():
    """Without the variable prometheus-client is not even imported."""
    code = """
import sys
import horus
horus.run(horus.Node("n", tick=lambda: None), duration=0)
print("horus_prometheus" in sys.modules, "prometheus_client" in sys.modules)
"""
    assert program(code) == ("True False\n", "")


def run_with(told):
    """What a short run says on stderr."""
    code = (
        "import horus; horus.run(horus.Node('n', tick=lambda: None, rate=100), duration=0.02); print('over')"
    )
    out, err = program(code, HORUS_PROMETHEUS=told)
    assert out == "over\n"
    return err


def test_a_port_that_is_taken():
    """One line says so and what to do, the run goes on; of several ports the first that is free is taken."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (line,) = run_with(f"127.0.0.1:{port}").splitlines()
        assert f"Serving metrics on 127.0.0.1:{port} failed: Address already in use" in line
        assert f"HORUS_PROMETHEUS=127.0.0.1:{port}-" in line
        (line,) = run_with(f"127.0.0.1:{port}-{min(port + 20, 65535)}").splitlines()
        assert "Prometheus metrics at http://127.0.0.1:" in line


@pytest.mark.parametrize("told", ["9464", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:90-80", "1.2.3.4:70000"])
def test_an_address_that_is_none(told):
    """It says what was expected; no run fails for it."""
    with pytest.raises(ValueError, match="expected an address like"):
        parse(told)


def test_addresses():
    """Hosts by name and number, IPv6 in brackets, ranges."""
    assert parse("localhost:9464") == ("localhost", range(9464, 9465))
    assert parse("[::1]:9464-9466") == ("::1", range(9464, 9467))
    (line,) = run_with("nonsense").splitlines()
    assert "expected an address like 127.0.0.1:9464" in line


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_forked_child_does_not_hold_the_port(port):
    """Children that are forked while nodes run have no server: after the run the port is free beside them."""
    children = []

    def tick(node):
        pid = os.fork()
        if pid == 0:
            time.sleep(LIMIT_S)
            os._exit(0)
        children.append(pid)
        node.request_stop()

    try:
        horus.run(horus.Node("parent", tick=tick, rate=10))
        assert is_free(port)
        with socket.create_server(("127.0.0.1", port)):
            pass
    finally:
        for pid in children:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
