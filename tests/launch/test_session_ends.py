"""How a session is stopped, by whom, and what is left afterwards: nothing."""

import contextlib
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import storm
from launching import STUBBORN, WAITS, alive, ask, horus, until

from horus_core.control import estop
from horus_plugins.launch import manifest
from horus_plugins.monitor import estop as monitor

PENDING = f"""
nodes:
  - name: runs
    command: {WAITS}
  - name: backs_off
    command: sh -c 'exit 1'
    restart: {{policy: always, backoff: 1000, max_backoff: 1000}}
  - name: delayed
    command: {WAITS}
    start_delay: 1000
  - name: waits
    command: {WAITS}
    depends_on: {{never: completed}}
  - name: never
    command: {WAITS}
"""


def pending(launch):
    """A session in which a back-off, a delay and a wait are under way."""
    robot = launch("robot", PENDING)
    assert robot.reaches("backs_off", "backing-off").next_try_ns > 0
    until(lambda: "its start delay of 1000 s" in robot.node("delayed").waiting_for, "the delay")
    assert robot.reaches("waits", "waiting").waiting_for == "'never' to exit with code 0"
    robot.says("[runs] up")
    return robot


# spec: C20
def test_stop_acts_while_backoffs_delays_and_waits_are_pending(launch):
    """From any terminal; it comes back when the session is over, and nothing that was pending starts any more."""
    robot = pending(launch)
    shown = ask("--status")[1]
    assert re.search(
        r"^  backs_off: last exit code 1 \(pid \d+\), next try in \d+\.\d s$", shown, re.MULTILINE
    )
    assert re.search(r"^  waits: waits for 'never' to exit with code 0$", shown, re.MULTILINE)
    pid = robot.node("runs").pid
    code, _, said = horus("launch", "--stop", "robot")
    assert code == 0, said
    assert robot.wait() == 1  # backs_off had failed
    assert not alive(pid)
    spawned = {event["node"] for event in robot.events("NodeSpawned", "NodeRestarted")}
    assert spawned == {"runs", "backs_off", "never"}
    (end,) = robot.events("SessionStop")
    assert re.fullmatch(r"asked by \S+ \(pid \d+\)", end["reason"])
    code, _, said = ask("--stop", "robot")
    assert code == 1
    assert "expected one that runs, got none. No session runs." in said


# spec: C12 F16
def test_an_emergency_stop_ends_the_session_and_one_that_stands_lets_none_start(launch, monkeypatch):
    """A release stops nothing. The exit code of a session that an emergency stop ended is never 0."""
    robot = pending(launch)
    with estop.open_topic("test") as topic:
        topic.send(estop.order_to_release("test"))
        robot.reaches("runs", "running")  # it goes on
        topic.send(estop.order_to_stop("hand in the way", "fence"))
        assert robot.wait() == 1
        assert "emergency stop by fence: hand in the way" in robot.err.read_text()
        (event,) = robot.events("EmergencyStop")
        assert (event["source"], event["reason"]) == ("fence", "hand in the way")
        refused = launch("robot", PENDING)
        assert refused.wait() == 1
        assert "one that stands, by fence: hand in the way" in refused.err.read_text()
        assert not manifest.path(robot.namespace, "robot").exists()
        topic.send(estop.order_to_release("test"))
        again = launch("robot", "nodes: [{name: a, command: 'true'}]")
        assert again.wait() == 0

        # `horus estop` knows who heard it: no scheduler runs here, and still it stopped something.
        asleep = launch("robot", f"nodes: [{{name: a, command: {json.dumps(WAITS)}}}]")
        asleep.says("up")
        asleep.signal(signal.SIGSTOP)
        found = monitor.engage("again")
        assert (found.deaf, found.stopping, found.is_safe) == (["robot"], [], False)
        assert "NOT SAFE: launch session robot runs on." in monitor.told(found)
        monitor.release()
        asleep.signal(signal.SIGCONT)
        assert asleep.wait() == 1
        monkeypatch.setattr(monitor, "_PATIENCE_S", 20.0)  # it says so at once, where the machine lets it
        awake = launch("robot", f"nodes: [{{name: a, command: {json.dumps(WAITS)}}}]")
        awake.says("up")
        found = monitor.engage("again")
        assert (found.schedulers, found.deaf, found.stopping, found.is_safe) == ([], [], ["robot"], True)
        assert awake.wait() == 1
        monitor.release()


HARD = f"""
stop: {{graceful: 0.05, terminate: 1.0}}
nodes:
  - name: stubborn
    command: {STUBBORN}
  - name: asleep
    command: {WAITS}
  - name: shell
    command: sh -c 'sleep 1000 & echo "child $!"; wait'
"""


DAEMON_OF_NOBODY = """
  - name: parent
    command: sh -c '(env -i setsid sleep 1000 & echo "daemon $!"); exec sleep 1000'
"""


# spec: C13 F17 F18
def test_who_does_not_heed_sigterm_is_killed_and_who_stands_still_is_woken(launch):
    """SIGKILL after the time that the file sets, with children of children; a stopped process gets its SIGTERM.

    A daemon that has left its group and put its environment away ends, too.
    """
    robot = launch("robot", HARD + DAEMON_OF_NOBODY)
    robot.says("up", times=2)
    robot.says("[shell] child")
    robot.says("[parent] daemon")
    grandchild = int(re.search(r"child (\d+)", robot.out.read_text())[1])
    daemon = int(re.search(r"daemon (\d+)", robot.out.read_text())[1])
    until(lambda: Path(f"/proc/{daemon}/comm").read_text() == "sleep\n", "the daemon's own session")
    asleep = robot.node("asleep").pid
    os.kill(asleep, signal.SIGSTOP)
    assert robot.stop() == 128 + signal.SIGKILL
    assert not alive(grandchild)
    assert not alive(daemon)
    err = robot.err.read_text()
    assert "[stubborn] still runs after 1 s more: SIGKILL" in err
    ends = {event["node"]: event for event in robot.events("NodeExited")}
    assert (ends["stubborn"]["signal"], ends["stubborn"]["asked"]) == ("SIGKILL", True)
    assert (ends["asleep"]["signal"], ends["shell"]["signal"]) == ("SIGTERM", "SIGTERM")


# spec: F17
def test_a_second_signal_insists_and_a_third_kills(launch):
    """Each is a line with its seconds; the waiting is cut short."""
    robot = launch("robot", "stop: {terminate: 1000}\n" + HARD.partition("\n")[2].partition("\n")[2])
    robot.says("[stubborn] up")
    robot.signal(signal.SIGTERM)
    robot.says("[stubborn] no")
    robot.signal(signal.SIGHUP)
    robot.says("[stubborn] no", times=2)
    robot.signal(signal.SIGINT)
    assert robot.wait() == 128 + signal.SIGKILL
    err = robot.err.read_text()
    assert "stopping (SIGTERM)" in err
    assert "asked again (SIGHUP): SIGTERM, once more, to [stubborn]" in err
    assert "asked again (Ctrl+C): SIGKILL to [stubborn]" in err


DAEMON = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("daemon", os.getpid(), flush=True)
        while True:
            time.sleep(1000)
    os._exit(0)
os.wait()
"""


# spec: F17
def test_signals_reach_what_left_its_group_too(launch, tmp_path):
    """A daemon that heeds no SIGTERM is waited for; the third signal kills it at once."""
    (tmp_path / "daemon.py").write_text(DAEMON)
    robot = launch("robot", "nodes: [{name: daemon, command: daemon.py}]")
    robot.says("[daemon] daemon")
    daemon = int(re.search(r"daemon (\d+)", robot.out.read_text())[1])
    robot.says("SIGTERM to what left its group: pid")
    robot.signal(signal.SIGINT)
    robot.says("stopping (Ctrl+C)")
    robot.signal(signal.SIGTERM)
    robot.says("asked again (SIGTERM): SIGTERM, once more, to what left its group")
    robot.signal(signal.SIGHUP)
    robot.wait()
    assert not alive(daemon)
    _, killed = robot.err.read_text().split("asked again (SIGHUP): SIGKILL to what left its group\n")
    assert re.match(
        r" *\d\.\d s  SIGKILL to those that did not heed it", killed
    )  # seconds since the first signal


LEFT = f"""
nodes:
  - name: slow
    command: sh -c 'trap "while [ ! -e go ]; do sleep 0.02; done; exit" TERM; echo up; while :; do sleep 0.02; done'
  - name: shell
    command: sh -c 'sleep 1000 & echo "child $!"; wait'
  - name: plain
    command: {WAITS}
"""


def test_a_killed_launcher_leaves_nobody_and_its_name_is_free_again(launch):
    """Kill -9, of the guard, too: children and their children end; a new launcher waits for that, then starts."""
    robot = launch("robot", LEFT)
    robot.says("up", times=2)
    robot.says("[shell] child")
    pids = {node.pid for node in robot.manifest().nodes}
    (first,) = storm.children(robot.pid).keys() - pids
    os.kill(first, signal.SIGKILL)
    robot.says("the guard process was killed; another has taken its place")
    (guard,) = storm.children(robot.pid).keys() - pids
    pids.add(int(re.search(r"child (\d+)", robot.out.read_text())[1]))
    # In its place it has nothing of the launcher's open, whose locks would seem to be held by one who lives.
    held = {str(file.readlink()) for file in Path(f"/proc/{guard}/fd").iterdir()}
    assert {file for file in held if not file.startswith("pipe:")} == {os.devnull}
    assert len(held) == 2
    with stopped(guard):  # so that there is time to look
        robot.signal(signal.SIGKILL)
        robot.wait()
        assert "No launch session runs." in ask("--status")[1]
        again = launch("robot", LEFT)
        again.says("waiting for what a killed launcher left: pid")
        assert not any(node.pid for node in again.manifest().nodes)
        Path(robot.out.parent, "go").touch()
    again.says("[shell] child")
    assert not any(map(alive, pids))
    assert again.stop() == 0


@contextlib.contextmanager
def stopped(pid):
    """Who stands still meanwhile, and goes on in any case: a guard that a failed test leaves asleep ends nobody."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_the_end_of_a_node_may_be_that_of_the_session_and_signals_have_names(launch):
    """on_exit: shutdown; a child that a signal killed is never 0, and the kernel is asked about its memory."""
    robot = launch(
        "robot",
        f"""
        nodes:
          - name: others
            command: {WAITS}
          - name: brain
            command: {WAITS}
            on_exit: shutdown
        """,
    )
    robot.says("up", times=2)
    os.kill(robot.node("brain").pid, signal.SIGKILL)
    assert robot.wait() == 128 + signal.SIGKILL
    (crash,) = robot.events("NodeCrashed")
    assert (crash["node"], crash["signal"], crash["exit_code"]) == ("brain", "SIGKILL", None)
    assert crash["out_of_memory"] in (False, None)
    assert robot.events("SessionStop")[0]["reason"] == "the end of [brain]"


def test_a_wait_that_is_too_long_names_what_was_waited_for(launch):
    """ready_timeout: those that depend on it do not start, the others go on, and the exit code says so."""
    robot = launch(
        "robot",
        f"""
        nodes:
          - name: slow
            command: {WAITS}
            ready_timeout: 0.2
          - name: next
            command: {WAITS}
            depends_on: [slow]
          - name: after
            command: {WAITS}
            depends_on: [next]
        """,
    )
    row = robot.reaches("after", "failed")
    assert row.waiting_for == "it waits for 'next' to be ready, which was not started"
    slow = robot.node("slow").pid
    assert robot.node("next").waiting_for == (
        f"it waits for 'slow' to be ready, which it was not within 0.2 s (pid {slow}; expected its scheduler to run, "
        f"or a second of life without any)"
    )
    robot.reaches("slow", "running")  # a second later
    assert robot.stop() == 1


# spec: F22
def test_nobody_reads_and_the_robot_goes_on(launch):
    """A closed stdout is no reason to stop anything: a node writes on, and its log has it."""
    reader, writer = os.pipe()
    robot = launch(
        "robot",
        """
        nodes:
          - name: talker
            command: sh -c 'echo one; while [ ! -e go ]; do sleep 0.02; done; echo two; exec sleep 1000'
        """,
        stdout=writer,
    )
    os.close(writer)
    assert os.read(reader, 100) == b"[talker] one\n"
    os.close(reader)
    Path(robot.out.parent, "go").touch()
    log = manifest.folder(robot.namespace) / "robot" / "talker.log"
    until(lambda: log.read_bytes().endswith(b"\none\ntwo\n"), "its log has both")
    assert robot.node("talker").restarts == 0
    assert robot.stop() == 0


def test_detached_attached_and_from_another_namespace(horus_namespace, tmp_path):
    """--detach returns when all is ready; --attach shows what was and what comes, until the session is over."""
    (tmp_path / "robot.yaml").write_text(
        f"nodes: [{{name: talker, command: \"sh -c 'echo one; exec sleep 1000'\"}}, {{name: b, command: {WAITS!r}}}]"
    )
    code, _, said = horus("launch", "robot.yaml", "--detach", "--log-dir", "logs", cwd=tmp_path)
    assert code == 0, said
    try:
        assert "Session robot runs in the background: 2 nodes, pid" in said
        assert b"one\n" in (tmp_path / "logs" / "robot" / "talker.log").read_bytes()
        with subprocess.Popen(
            [os.sys.executable, "-m", "horus_cli", "launch", "--attach", "robot"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "HORUS_NAMESPACE": "elsewhere"},
        ) as attached:
            while attached.stdout.readline() != b"[talker] one\n":
                pass
            assert ask("--stop", "robot")[0] == 0
            rest, errors = attached.communicate(timeout=30)
        assert attached.returncode == 0, errors
        assert b"[talker] ended by SIGTERM" in rest
        kept = (tmp_path / "logs" / "robot.log").read_text()
        assert "all nodes are ready.\n" in kept, "what --attach shows: Ctrl+C would stop nothing there"
        assert errors == b"Session robot is over.\n"
    finally:
        if manifest.read(horus_namespace, "robot") is not None:
            ask("--stop", "robot")


def test_a_detached_session_that_fails_says_why(horus_namespace, tmp_path):
    """Exit code 1, the node and how it ended; the session, if others run, goes on and can be stopped."""
    (tmp_path / "robot.yaml").write_text("nodes: [{name: bad, command: \"sh -c 'echo oh no >&2; exit 7'\"}]")
    code, _, said = horus("launch", "robot.yaml", "--detach", cwd=tmp_path)
    assert code == 1
    assert "exit code 7" in said
    assert "[bad] oh no" in said
    assert manifest.read(horus_namespace, "robot") is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["--stop", "x", "--status"], "Expected one of these, got --status and --stop."),
        (["robot.yaml", "--status"], "--status takes no launch file, got robot.yaml."),
        (["robot.yaml", "--watch"], "--watch goes with --status."),
        (["--stop", "x", "--json"], "--json goes with --status and --reload"),
        (["robot.yaml", "--json"], "--json goes with --check"),
        ([], "Expected a launch file, got none."),
    ],
)
def test_what_does_not_go_together_is_refused(line, error):
    """As usage errors, before anything is read or started."""
    import click
    from horus_cli.launch import launch as command

    with pytest.raises(click.UsageError, match=re.escape(error)):
        command.main(line, standalone_mode=False)
