"""Scheduler(blackbox=...), how long records stay, and what other processes read from them."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import threading
import time
import urllib.request
from urllib.error import HTTPError

import pytest

from horus_core import _native
from horus_core.control import flights
from horus_core.errors import ConfigError
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler
from horus_core.shm import cleaner, process
from horus_plugins.monitor import nodes

ROBOT = """
import sys
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

def tick(node):
    print("tick", flush=True)

def flaky():
    raise ValueError("bad reading")

name = sys.argv[1] if sys.argv[1:] else "robot"
run(Node(f"camera", tick=tick, rate=100), Node("arm", tick=flaky, rate=50, failure_policy="ignore", order=7))
"""
DAY_S = 24 * 3600


# spec: F28
def test_without_a_blackbox_nothing_is_shared(namespace):
    """blackbox=False: no file, while it runs and after a failure; figures are there all the same."""
    seen = []

    def look():
        seen.append((flights.listed(namespace), scheduler.get_node_stats("n")["state"]))
        raise ValueError("bad reading")

    scheduler = Scheduler(name="robot", blackbox=False)
    scheduler.add(Node("n", tick=look))
    with pytest.raises(ValueError, match="bad reading"):
        scheduler.run(0)
    assert seen == [([], "running")]
    assert flights.listed(namespace) == []
    assert scheduler.get_node_stats("n")["errors_count"] == 1
    many = [Node(f"n{number}", tick=lambda: None) for number in range(300)]
    run(*many, duration=0, blackbox=False)
    assert {node._horus_ticks for node in many} == {1}


def test_with_one_it_is_shared(namespace):
    """True is the default; other values are refused."""
    seen = []
    for options in ({}, {"blackbox": True}):
        run(Node("n", tick=lambda: seen.append(len(flights.listed(namespace)))), duration=0, **options)
    assert seen == [1, 1]
    for wrong in (None, 1, "yes"):
        with pytest.raises(ConfigError, match="Bad blackbox: expected True or False"):
            Scheduler(blackbox=wrong)


def left_behind(namespace, name, age_s, spare=0):
    """A record that somebody left some time ago, which takes `spare` bytes more."""
    path = flights.folder(namespace) / f"{name}.flight"
    with path.open("xb") as file:
        file.truncate(_native.flight_size() + spare)
    os.utime(path, (time.time() - age_s, time.time() - age_s))
    return path


# spec: F3
def test_records_stay_for_a_day(program, namespace, until):
    """After 24 h the cleaner takes a dead one, at once only `horus clean`; a living one's never."""
    one = program(ROBOT, HORUS_NODE_NAME="dead")
    one.wait_for("tick")
    one.kill()
    dead = flights.folder(namespace) / "dead.flight"
    cleaner.clean_quietly([namespace])
    assert dead.exists()
    os.utime(dead, (time.time() - DAY_S + 60,) * 2)
    cleaner.clean_quietly([namespace])
    assert dead.exists()
    os.utime(dead, (time.time() - DAY_S - 60,) * 2)
    cleaner.clean_quietly([namespace])
    assert not dead.exists()


# spec: F3
def test_records_take_64_mib_at_most(program, namespace):
    """Beyond 64 MiB of a namespace the oldest go first, and never those of the living."""
    one = program(ROBOT, HORUS_NODE_NAME="robot")
    one.wait_for("tick")
    process.member(namespace)
    living = flights.folder(namespace) / "robot.flight"
    dead = [left_behind(namespace, f"dead{age}", 100 * age, spare=20 * 2**20) for age in (4, 3, 2, 1)]
    cleaner.clean_quietly([namespace])
    assert [path.exists() for path in dead] == [False, True, True, True]
    assert living.exists()
    left_behind(namespace, "young", 10, spare=60 * 2**20)
    cleaner.clean_quietly([namespace])
    assert [path.exists() for path in dead] == [False] * 4
    assert living.exists()


# spec: D20
def test_figures_of_all_schedulers_of_a_namespace(program, namespace, until):
    """Other processes read what get_node_stats() tells, of every living scheduler; the dead are left out."""
    assert nodes.stats(namespace) == []
    first = program(ROBOT, HORUS_NODE_NAME="left")
    first.wait_for("tick")
    second = program(ROBOT.replace('"camera"', '"lidar"').replace('"arm"', '"leg"'), HORUS_NODE_NAME="right")
    second.wait_for("tick")
    until(lambda: all(row["total_ticks"] > 5 for row in nodes.stats(namespace)))
    rows = nodes.stats(namespace)
    assert [(row["scheduler"], row["pid"], row["name"]) for row in rows] == [
        ("left", first.process.pid, "arm"),
        ("left", first.process.pid, "camera"),
        ("right", second.process.pid, "leg"),
        ("right", second.process.pid, "lidar"),
    ]
    arm, camera = rows[:2]
    assert (arm["state"], arm["class"], arm["rate"], arm["order"]) == ("running", "best_effort", 50.0, 7)
    assert arm["errors_count"] == arm["failed_ticks"] == arm["total_ticks"]
    assert (camera["errors_count"], camera["rate"]) == (0, 100.0)
    assert (
        0 < camera["min_tick_duration_ms"] <= camera["p50_tick_duration_ms"] <= camera["p99_tick_duration_ms"]
    )
    assert 0 < camera["uptime"] < 60
    assert (camera["health"], arm["health"]) == ("healthy", "failing")
    scheduler = Scheduler(name="here").add(Node("here", tick=lambda: None))
    assert scheduler.get_node_stats("here").keys() <= camera.keys()
    assert json.loads(json.dumps(rows)) == rows
    first.kill()
    assert {row["scheduler"] for row in nodes.stats(namespace)} == {"right"}
    shutil.rmtree(flights.folder(namespace).parent / "nodes")
    assert [row["uptime"] for row in nodes.stats(namespace)] == [None, None]


# spec: D22
def test_a_health_endpoint_in_a_thread(until):
    """http.server in a thread answers from get_node_stats() while the scheduler runs: 200, and 503 after an error."""
    broken = threading.Event()

    def read_sensor():
        if broken.is_set():
            raise ValueError("bad reading")

    scheduler = Scheduler()
    scheduler.add(Node("sensor", tick=read_sensor, rate=200, failure_policy="ignore"))
    scheduler.add(Node("arm", tick=lambda: None, rate=100))

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            stats = {name: scheduler.get_node_stats(name) for name in scheduler.get_node_names()}
            healthy = all(one["errors_count"] == 0 for one in stats.values())
            body = json.dumps(stats).encode()
            self.send_response(200 if healthy else 503)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Health)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    answers = []

    def ask():
        url = f"http://127.0.0.1:{server.server_port}/"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    def client():
        try:
            answers.append(until(lambda: (got := ask())[1]["sensor"]["total_ticks"] > 10 and got))
            broken.set()
            answers.append(until(lambda: (got := ask())[0] == 503 and got))
        finally:
            scheduler.request_stop()

    asking = threading.Thread(target=client)
    asking.start()
    scheduler.run()
    asking.join()
    server.shutdown()
    serving.join()
    server.server_close()
    (healthy, good), (ill, bad) = answers
    assert (healthy, ill) == (200, 503)
    assert good["sensor"]["state"] == good["arm"]["state"] == "running"
    assert (good["sensor"]["errors_count"], bad["arm"]["errors_count"]) == (0, 0)
    assert bad["sensor"]["errors_count"] > 0
    assert scheduler.get_node_stats("sensor")["errors_count"] > 0, "and after the run"
