"""A session from its start to its end, as seen from outside."""

import json
import os
import re
import signal
from pathlib import Path

from launching import WAITS, alive, ask, horus, until, write

from horus_core.errors import HorusError
from horus_plugins.launch import manifest
from horus_plugins.monitor import control

NODE = """
import horus
def tick(node): node.send("state", {"n": 1})
def stop(node): print("arm shut down", flush=True)
horus.run(horus.Node("shoulder", tick=tick, shutdown=stop, rate=50), horus.Node("elbow", tick=lambda n: None))
"""

ROBOT = f"""
nodes:
  - name: camera
    command: {WAITS}
    depends_on: [arm]
  - name: arm
    command: arm.py
  - name: setup
    command: sh -c 'echo done; exit 0'
  - name: late
    command: sh -c 'printf "gr\\303\\274\\303\\237e \\377"; exit 0'
    depends_on: {{setup: completed}}
    start_delay: 0.05
  - name: fragile
    command: sh -c 'exit 3'
    restart: {{policy: on-failure, max: 2, backoff: 0.01}}
  - name: lost
    command: {WAITS}
    depends_on: [fragile]
"""


# spec: C1 C4 C5 C6 C8 C9 C10 C13 C14 C15 C20 C29 C30 F19 A29 A32
def test_a_session_from_its_start_to_its_end(launch, tmp_path):  # noqa: PLR0915 - one process serves many
    """Order, readiness, restarts, manifest, status, events, output, and a stop that lets nodes shut down."""
    (tmp_path / "arm.py").write_text(NODE)
    robot = launch("robot", ROBOT)
    robot.ready()
    until(lambda: robot.node("arm").schedulers, "its scheduler is found")
    now = robot.manifest()

    # The manifest: true pids in the right rows, schedulers found without being named.
    rows = {node.name: node for node in now.nodes}
    assert set(rows) == {"camera", "arm", "setup", "late", "fragile", "lost"}
    camera = Path(f"/proc/{rows['camera'].pid}/cmdline")
    until(lambda: camera.read_bytes().startswith(b"sleep"), "the shell has become what it runs")
    assert Path(f"/proc/{rows['arm'].pid}/cmdline").read_bytes().endswith(b"arm.py\0")
    assert [one.nodes for one in rows["arm"].schedulers] == [["shoulder", "elbow"]]
    assert rows["arm"].schedulers[0].name == "arm"  # HORUS_NODE_NAME
    assert rows["arm"].schedulers[0].control_topic == "horus.ctl.arm"
    assert (rows["setup"].status, rows["setup"].last_exit.code, rows["setup"].pid) == ("stopped", 0, 0)
    assert (rows["fragile"].status, rows["fragile"].restarts) == ("crashed", 2)
    assert rows["lost"].status == "failed"
    assert rows["lost"].waiting_for == "it waits for 'fragile' to be ready, which is over: exit code 3"
    assert now.control_topic == "horus.launch.ctl.robot"
    environment = Path(f"/proc/{rows['camera'].pid}/environ").read_bytes().split(b"\0")
    assert f"HORUS_NAMESPACE={robot.namespace}".encode() in environment
    assert all(os.getsid(rows[name].pid) == rows[name].pid for name in ("camera", "arm"))

    # The table, from any terminal.
    code, shown, _ = horus("launch", "--status")
    assert code == 0
    assert shown.startswith("ACTIVE LAUNCH SESSIONS\n")
    assert re.search(r"^● robot \(2 processes, uptime: \d+s\)$", shown, re.MULTILINE)
    assert f"  File: {tmp_path}/robot.yaml\n" in shown
    assert re.search(r"^  NAME +PID  STATUS +SCHEDULER +RESTARTS$", shown, re.MULTILINE)
    assert re.search(rf"^  arm +{rows['arm'].pid}  Running  arm +0$", shown, re.MULTILINE)
    assert re.search(r"^  fragile +-  Crashed  - +2$", shown, re.MULTILINE)
    assert re.search(r"^  fragile: last exit code 3 \(pid \d+\)$", shown, re.MULTILINE)
    _, listed, _ = ask("--status", "--json")
    (status,) = json.loads(listed)["sessions"]
    assert (status["session"], status["processes"], status["pid"]) == ("robot", 2, robot.pid)

    # States are checked: a process that stands still, or a launcher, is not shown as running.
    os.kill(rows["camera"].pid, signal.SIGSTOP)
    until(
        lambda: re.search(r"^  camera +\d+  Suspended", ask("--status")[1], re.MULTILINE), "it stands still"
    )
    os.kill(rows["camera"].pid, signal.SIGCONT)

    # The name is taken, and by whom.
    code, _, said = horus("launch", "robot.yaml", cwd=tmp_path)
    assert code == 1
    assert f"pid={robot.pid}" in said

    assert robot.stop() == 3
    assert not alive(rows["camera"].pid)
    assert not alive(rows["arm"].pid)
    assert robot.manifest() is None
    out, err = robot.out.read_bytes(), robot.err.read_text()
    assert b"[setup] done\n" in out
    assert "[late] grüße ".encode() + b"\xff\n" in out  # as it came, and its last line without a newline
    assert b"[arm] arm shut down\n" in out
    assert "[arm] is stopped by GracefulShutdown" in err
    assert "[camera] is stopped by SIGTERM" in err  # at once: it has no scheduler
    assert re.search(r"^  fragile +exit code 3 +2$", err, re.MULTILINE)
    assert re.search(r"^  camera +ended by SIGTERM, as asked +0$", err, re.MULTILINE)
    assert "Traceback" not in err
    assert b"\x1b" not in out  # colours are for terminals

    # What happened, in order, each with its time.
    events = robot.events()
    names = [event["event"] for event in events]
    assert (names[0], names[-1]) == ("SessionStart", "SessionStop")
    assert events[0]["nodes"] == [node.name for node in now.nodes]
    assert [event["timestamp_ns"] for event in events] == sorted(event["timestamp_ns"] for event in events)
    assert [event["exit_code"] for event in robot.events("NodeCrashed")] == [3, 3, 3]
    assert [event["restarts"] for event in robot.events("NodeRestarted", node="fragile")] == [1, 2]
    order = [event["node"] for event in robot.events("NodeReady", "NodeSpawned")]
    assert order.index("arm") < len(order) - 1 - order[::-1].index("arm") < order.index("camera")
    log = manifest.folder(robot.namespace) / "robot" / "late.log"
    assert re.fullmatch(rb"=== \S+ run 1, pid \d+\ngr\xc3\xbc\xc3\x9fe \xff\n", log.read_bytes())


RELOADED = f"""
nodes:
  - name: same
    command: {WAITS}
  - name: other
    command: {WAITS}
    env:
      SPEED: "{{speed}}"
  - name: {{name}}
    command: {WAITS}
"""


# spec: C11 C12
def test_what_may_be_asked_of_a_session(launch, tmp_path):
    """Restarting a node, going over to a changed file, and questions that make no sense."""
    robot = launch("robot", RELOADED.format(speed=1, name="old"))
    before = {node.name: node.pid for node in robot.ready().nodes}

    def tell(cmd, **fields):
        return control.ask_topic(robot.namespace, manifest.control_topic("robot"), cmd, **fields)

    assert tell("Ping")["session"] == "robot"
    assert [row["name"] for row in tell("Status")["manifest"]["nodes"]] == ["same", "other", "old"]
    for cmd, fields, error in (
        ("Dance", {}, "expected 'cmd' to be one of"),
        ("StopProcess", {}, "expected 'node' to be text, got nothing"),
        ("StopProcess", {"node": "sane"}, "Did you mean 'same'"),
        ("PauseNode", {"node": "same"}, "PauseNode failed: expected a node of session 'robot'"),
        ("Reload", {"plan": "{}"}, "expected a plan as JSON"),
    ):
        try:
            found = tell(cmd, **fields)
        except HorusError as refusal:
            found = str(refusal)
        assert error in found, (cmd, found)
    with control._Line(robot.namespace, manifest.control_topic("robot")) as line:
        line.send({"cmd": "StopSession", "id": "late", "expires_ns": 1})
    assert tell("Status")["manifest"]["status"] == "running"  # who asked was told that nothing is done

    code, _, said = ask("--restart", "same")
    assert (code, said) == (0, "Session robot restarts same.\n")
    until(lambda: robot.node("same").pid not in (0, before["same"]), "same runs again")
    assert robot.node("same").restarts == 1

    write(tmp_path, "robot", "nodes: [{name: broken}]")
    code, _, said = ask("--reload", "robot")
    assert code == 1
    assert "robot.yaml:2:" in said  # nothing is changed by a file that is wrong
    write(tmp_path, "robot", RELOADED.format(speed=2, name="new"))
    code, _, said = ask("--reload", "robot")
    assert said == "Session robot starts new; stops old; restarts other.\n"
    until(lambda: (row := robot.node("new")) is not None and row.pid, "new runs")
    until(lambda: robot.node("other").pid not in (0, before["other"]) and not robot.node("old"), "the change")
    assert not alive(before["old"])
    environment = Path(f"/proc/{robot.node('other').pid}/environ")
    until(lambda: b"SPEED=2\0" in environment.read_bytes(), "its own environment, which it has from exec on")
    same = robot.node("same").pid
    assert json.loads(ask("--reload", "robot", "--json")[1])["restarted"] == []
    assert robot.node("same").pid == same
    assert robot.stop() == 0


SLOW = """sh -c 'trap "while [ ! -e go ]; do sleep 0.02; done; exit" TERM; echo up; while :; do sleep 0.02; done'"""


def twice(*, speed, extra, broken):
    """A file of which two nodes take their time to end."""
    return f"""
stop: {{terminate: 1000}}
nodes:
  - {{name: slow, command: {json.dumps(SLOW)}, env: {{SPEED: {speed}}}}}
  - {{name: broken, command: {json.dumps(broken)}}}
  - {{name: waits, command: {json.dumps(WAITS)}, depends_on: [broken]}}
""" + (f"  - {{name: extra, command: {json.dumps(SLOW)}}}" if extra else "")


def test_a_reload_of_a_reload_that_is_under_way(launch, tmp_path):
    """The last file counts, also for what the one before is still stopping; what never ran is tried again."""
    robot = launch("robot", twice(speed=1, extra=True, broken="sh -c 'exit 3'"))
    robot.reaches("waits", "failed")
    robot.says("up", times=2)
    before = {name: robot.node(name).pid for name in ("slow", "extra")}

    write(tmp_path, "robot", twice(speed=2, extra=False, broken=WAITS))
    changed = ask("--reload", "robot")[1:]
    assert "Session robot starts waits; stops extra; restarts slow, broken.\n" in changed
    robot.reaches("extra", "stopping")
    write(tmp_path, "robot", twice(speed=1, extra=True, broken=WAITS))
    changed = ask("--reload", "robot")[1:]
    assert "Session robot starts extra; restarts slow.\n" in changed
    assert "Session robot goes on: nothing has changed.\n" in ask("--reload", "robot")[1:]
    Path(tmp_path, "go").touch()
    for name, pid in before.items():
        until(lambda name=name, pid=pid: robot.node(name).pid not in (0, pid), f"{name} runs anew")
    assert b"SPEED=1\0" in Path(f"/proc/{robot.node('slow').pid}/environ").read_bytes()
    robot.reaches("waits", "running")
    assert robot.stop() == 0
