"""Nodes under `horus run`: they meet, they stop cleanly, they leave nothing."""

import os
import signal

import pytest

from horus_core.shm import namespace

SENSOR = """
    import horus

    def tick(node):
        node.send("sensor.temp", {"celsius": 21.5})

    def shutdown(node):
        print("sensor shut down", flush=True)

    if __name__ == "__main__":
        horus.run(horus.Node("sensor", pubs=["sensor.temp"], tick=tick, shutdown=shutdown, rate=50))
    """
MONITOR = """
    import horus

    def tick(node):
        while node.has_msg("sensor.temp"):
            print("got", node.recv("sensor.temp"), flush=True)

    def shutdown(node):
        print("monitor shut down", flush=True)

    if __name__ == "__main__":
        horus.run(horus.Node("monitor", subs=["sensor.temp"], tick=tick, shutdown=shutdown, rate=50))
    """
TICKING = """
    import horus

    horus.run(horus.Node("own", tick=lambda node: print("up", flush=True), rate=50))
    """


# spec: A12 A13 A31 E17 F17
def test_files_of_one_run_share_topics_and_stop_cleanly(horus, script, ns):
    """Two files, one run: data flows, one Ctrl+C calls both shutdowns, exit 0, nothing left."""
    script("sensor.py", SENSOR)
    script("monitor.py", MONITOR)
    command = horus("run", "sensor.py", "monitor.py")
    command.shows("[monitor] got {'celsius': 21.5}", times=3)
    command.signal(signal.SIGINT)
    assert command.wait() == 0, command.stderr
    assert "[sensor] sensor shut down" in command.stdout
    assert "[monitor] monitor shut down" in command.stdout
    assert "Traceback" not in command.stderr
    assert not namespace.regions(ns)


# spec: A6 A11 A28
def test_commands_with_one_namespace_share_topics(horus, script):
    """One file per terminal (each in a session of its own), HORUS_NAMESPACE set in each."""
    script("sensor.py", SENSOR)
    script("monitor.py", MONITOR)
    monitor = horus("run", "monitor.py")
    sensor = horus("run", "sensor.py")
    monitor.shows("got", times=3)
    for command in (sensor, monitor):
        command.signal(signal.SIGINT)
        assert command.wait() == 0
        assert "Traceback" not in command.stderr


# spec: A33 E20
@pytest.mark.parametrize("options", [[], ["--isolated"]])
def test_runs_that_do_not_share_a_namespace_do_not_meet(horus, script, options, monkeypatch):
    """Other sessions without the variable, and isolated runs, keep to themselves."""
    if not options:
        monkeypatch.delenv("HORUS_NAMESPACE")
    script("sensor.py", SENSOR)
    script("monitor.py", MONITOR.replace("got", "crosstalk"))
    script("own.py", TICKING)
    outside = horus("run", *options, "sensor.py", "own.py")
    outside.shows("[own] up")
    inside = horus("run", *options, "monitor.py", "own.py")
    inside.shows("[own] up", times=25)
    assert "crosstalk" not in inside.stdout
    for command in (outside, inside):
        command.signal(signal.SIGTERM)
        assert command.wait() == 0


# spec: A42 A45 A46
def test_a_crashed_node_leaves_the_others_running_and_comes_back(horus, script):
    """The publisher is killed and started again: the subscriber goes on with fresh data, untouched."""
    script("monitor.py", MONITOR)
    script("sensor.py", SENSOR)
    monitor = horus("run", "monitor.py")
    sensor = horus("run", "sensor.py")
    monitor.shows("got")
    os.kill(sensor.pid, signal.SIGKILL)
    assert sensor.wait() == -signal.SIGKILL
    seen = monitor.stdout.count("got")
    again = horus("run", "sensor.py")
    monitor.shows("got", times=seen + 3)
    assert monitor.process.poll() is None
    for command in (again, monitor):
        command.signal(signal.SIGTERM)
        assert command.wait() == 0
