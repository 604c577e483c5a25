"""Perception, planning and control as nodes: in one process, and as services of systemd."""

from __future__ import annotations

import os
import subprocess
import sys

import horus


# spec: B2, B14, A41
def test_a_frame_becomes_a_command_in_one_tick(horus_namespace):
    """In one process, ordered nodes pass a frame from camera to motors within the tick in which it was taken."""
    trace = []

    def camera(node):
        image = horus.Image(4, 4, "mono8")
        image.to_numpy()[:] = horus.tick()
        node.send("camera.raw", image)

    def perception(node):
        brightness = int(node.recv("camera.raw").to_numpy().max())
        node.send("obstacle", {"distance": float(brightness)})

    def planning(node):
        node.send("cmd_vel", horus.CmdVel(linear=node.recv("obstacle")["distance"] / 2))

    def control(node):
        trace.append((horus.tick(), node.recv("cmd_vel").linear))

    scheduler = horus.Scheduler()
    nodes = (
        (control, 40, ["cmd_vel"]),
        (planning, 30, ["obstacle"]),
        (camera, 10, []),
        (perception, 20, ["camera.raw"]),
    )
    for function, order, subs in nodes:
        scheduler.add(horus.Node(function.__name__, tick=function, order=order, subs=subs))
    for _ in range(5):
        scheduler.tick_once()
    scheduler.stop()
    assert trace == [(number, number / 2) for number in range(5)]


# spec: A18
def test_services_with_one_namespace_share_topics(horus_namespace, program):
    """Two services, each in a session of its own as systemd starts them, share what HORUS_NAMESPACE says."""
    speaker = program(
        "import os, sys, horus\n"
        "os.setsid()\n"
        "topic = horus.Topic('sensor.data', dict)\n"
        "print('ready')\n"
        "sys.stdin.readline()\n"
        "topic.send({'from': os.getsid(0)})\n"
        "sys.stdin.readline()\n",
        INVOCATION_ID="1",
    )
    listener = program(
        "import os, horus\n"
        "os.setsid()\n"
        "topic = horus.Topic('sensor.data', dict)\n"
        "print('ready')\n"
        "assert topic.wait(20)\n"
        "print(topic.recv()['from'])\n",
        INVOCATION_ID="2",
    )
    speaker.wait_for("ready")
    listener.wait_for("ready")
    speaker.tell()
    assert int(listener.line()) == speaker.process.pid
    listener.finish()
    speaker.tell()
    speaker.finish()


# spec: A18, A34
def test_services_with_different_namespaces_do_not(horus_namespace):
    """A service of another namespace has a topic of its own under the same name."""
    topic = horus.Topic("sensor.data", dict)
    code = "import horus; print(horus.Topic('sensor.data', horus.CmdVel).send(horus.CmdVel()))"
    there = {**os.environ, "HORUS_NAMESPACE": f"{horus_namespace}-other"}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], env=there, capture_output=True, text=True, check=True, timeout=60
        )

    try:
        done = run("-c", code)
    finally:
        run("-m", "horus_cli", "clean")
    assert done.stdout.strip() == "True"
    assert topic.recv() is None
