"""Stopping several processes: SIGTERM to all, patience, insistence, and what is left afterwards: nothing."""

import os
import pty
import re
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

POLITE = """
    import os, signal, sys, time
    open(sys.argv[0] + ".pid", "w").write(str(os.getpid()))
    def stop(number, _):
        print("got", signal.Signals(number).name, flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print("listening")
    while True:
        time.sleep(0.05)
    """
STUBBORN = """
    import os, signal, sys, time
    open(sys.argv[0] + ".pid", "w").write(str(os.getpid()))
    signal.signal(signal.SIGTERM, lambda *_: print("no", flush=True))
    print("listening")
    while True:
        time.sleep(0.05)
    """


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
# spec: A13 F17
def test_a_requested_stop_is_sigterm_to_all_and_exit_0(horus, script, number):
    """Whatever asks the launcher to stop, each child gets SIGTERM, once, and the command exits 0."""
    script("a.py", POLITE)
    script("b.py", POLITE)
    command = horus("run", "a.py", "b.py")
    command.shows("listening", times=2)
    command.signal(number)
    assert command.wait() == 0
    for name in "ab":
        assert command.stdout.count(f"[{name}] got SIGTERM") == 1
    assert "got SIGINT" not in command.stdout
    assert "SIGTERM to [a], [b]" in command.stderr
    assert "all processes have ended" in command.stderr
    assert "Traceback" not in command.stderr


# spec: F17
def test_children_that_our_sigterm_ended_count_as_stopped(horus, script):
    """A plain script without a handler dies of SIGTERM: that is what was asked for."""
    for name in ("a.py", "b.py"):
        script(name, "import time; print('listening'); time.sleep(60)")
    command = horus("run", "a.py", "b.py")
    command.shows("listening", times=2)
    command.signal(signal.SIGINT)
    assert command.wait() == 0


def test_a_failing_shutdown_is_reported(horus, script):
    """Asked to stop, one exits with 4: so does the command."""
    script("a.py", POLITE.replace("sys.exit(0)", "sys.exit(4)"))
    script("b.py", POLITE)
    command = horus("run", "a.py", "b.py")
    command.shows("listening", times=2)
    command.signal(signal.SIGINT)
    assert command.wait() == 4
    assert "[a] ended with exit code 4" in command.stderr


# spec: F17
def test_nothing_is_forced_before_five_seconds(horus, script):
    """A child that ignores SIGTERM is killed by itself only after 5 s, and the exit code says so."""
    script("a.py", STUBBORN)
    script("b.py", POLITE)
    command = horus("run", "a.py", "b.py")
    command.shows("listening", times=2)
    asked = time.monotonic()
    command.signal(signal.SIGINT)
    assert command.wait() == 128 + signal.SIGKILL
    assert time.monotonic() - asked >= 5.0
    assert re.search(r"^ +\d+\.\d s  \[a\] still runs after 5 s: SIGKILL$", command.stderr, re.MULTILINE)


# spec: F17
def test_the_second_request_asks_again_and_the_third_kills(horus, script):
    """Each step is shown with its seconds."""
    script("a.py", STUBBORN)
    script("b.py", POLITE)
    command = horus("run", "a.py", "b.py")
    command.shows("listening", times=2)
    command.signal(signal.SIGINT)
    command.shows("[a] no")
    command.shows("[b] ended")
    command.signal(signal.SIGINT)
    command.shows("[a] no", times=2)
    command.shows("asked again (Ctrl+C): SIGTERM once more to [a]")  # the two come in either order
    command.signal(signal.SIGINT)
    assert command.wait() == 128 + signal.SIGKILL
    assert "asked a third time (Ctrl+C): SIGKILL to [a]" in command.stderr
    assert "still runs after 5 s" not in command.stderr


class Terminal:
    """`horus run` as the foreground job of a terminal."""

    def __init__(self, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, [sys.executable, "-m", "horus_cli", "run", *arguments])
        self.seen = b""

    def type(self, data):
        os.write(self.fd, data)

    def shows(self, text, times=1):
        deadline = time.monotonic() + 30
        while self.seen.count(text) < times:
            assert time.monotonic() < deadline, (text, self.seen)
            self.read()

    def read(self):
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: everybody has closed it
            return False
        self.seen += data
        return bool(data)

    def wait(self):
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)  # hangs up: what still runs gets SIGHUP
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


# spec: A13
def test_ctrl_c_at_a_terminal_reaches_the_children_as_one_sigterm(horus, script):
    """The terminal's SIGINT goes to the foreground group: the children are not in it."""
    script("a.py", POLITE)
    script("b.py", POLITE)
    with Terminal("a.py", "b.py") as terminal:
        terminal.shows(b"listening", times=2)
        terminal.type(b"\x03")
        assert terminal.wait() == 0
    assert terminal.seen.count(b"got SIGTERM") == 2
    assert b"got SIGINT" not in terminal.seen
    assert b"Traceback" not in terminal.seen


def test_a_terminal_that_closes_stops_everything(horus, script, pid_in, alive, wait_for):
    """The window is closed, the connection is lost: SIGHUP, and nobody is left."""
    script("a.py", POLITE)
    script("b.py", STUBBORN.replace('print("no", flush=True)', "sys.exit(0)"))
    with Terminal("a.py", "b.py") as terminal:
        terminal.shows(b"listening", times=2)
        pids = [pid_in("a.py.pid"), pid_in("b.py.pid")]
    wait_for(lambda: not any(map(alive, pids)), "both ended")


def test_ctrl_z_stops_all_and_fg_continues_all(horus, script, pid_in, wait_for):
    """A suspended job stands still as a whole, and can be stopped after it was continued."""
    script("a.py", POLITE)
    script("b.py", POLITE)
    command = horus("run", "a.py", "b.py")
    command.shows("listening", times=2)
    pids = [command.pid, pid_in("a.py.pid"), pid_in("b.py.pid")]

    def states():
        return {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in pids}

    command.signal(signal.SIGTSTP)
    wait_for(lambda: states() == {"T"}, "all stopped")
    command.signal(signal.SIGCONT)
    wait_for(lambda: "T" not in states(), "all continued")
    command.signal(signal.SIGINT)
    assert command.wait() == 0


def test_what_a_shell_started_is_stopped_with_it(horus, script, pid_in, alive):
    """SIGTERM goes to a child's whole group: a shell's own children do not become orphans."""
    script("work.py", POLITE)
    script("node.sh", f"#!/bin/sh\n'{sys.executable}' work.py &\nwait\n", mode=0o755)
    script("b.py", POLITE)
    command = horus("run", "node.sh", "b.py")
    command.shows("listening", times=2)
    grandchild = pid_in("work.py.pid")
    command.signal(signal.SIGINT)
    assert command.wait() == 0
    assert not alive(grandchild)


def test_what_a_child_leaves_behind_is_stopped_at_once(horus, script, pid_in, alive, wait_for):
    """A shell that ends without waiting for its children: they end while the others go on."""
    script("work.py", POLITE)
    script(
        "node.sh",
        f"#!/bin/sh\n'{sys.executable}' work.py &\nwhile [ ! -s work.py.pid ]; do sleep 0.02; done\n",
        mode=0o755,
    )
    script("b.py", POLITE)
    command = horus("run", "node.sh", "b.py")
    command.shows("left processes behind")
    grandchild = pid_in("work.py.pid")
    wait_for(lambda: not alive(grandchild), "the grandchild's end")
    assert command.process.poll() is None
    command.signal(signal.SIGINT)
    assert command.wait() == 0


def test_what_left_its_session_is_stopped_at_the_end(horus, script, pid_in, alive):
    """A daemon that a child started outlives that child, not the run."""
    script("daemon.py", POLITE)
    script(
        "a.py",
        """
        import subprocess, sys, os, time
        subprocess.Popen([sys.executable, "daemon.py"], start_new_session=True)
        while not os.path.exists("daemon.py.pid"): time.sleep(0.02)
        """,
    )
    script("b.py", "")
    command = horus("run", "a.py", "b.py")
    daemon = pid_in("daemon.py.pid")
    assert command.wait() == 0
    assert not alive(daemon)
    assert f"SIGTERM to what left its group: pid {daemon}" in command.stderr


def children_of(pid):
    """Pids by name: the guard is "horus-guard"."""
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [(int(child), Path(f"/proc/{child}/comm").read_text().strip()) for child in pids]


def guard_of(command):
    (pid,) = (pid for pid, name in children_of(command.pid) if name == "horus-guard")
    return pid


def test_a_killed_launcher_leaves_no_orphan(horus, script, pid_in, alive, wait_for):
    """Kill -9 ends children, a shell's children, a daemon and who ignores SIGTERM, besides the launcher."""
    script("a.py", POLITE)
    script("stubborn.py", STUBBORN.replace('lambda *_: print("no", flush=True)', "signal.SIG_IGN"))
    script("work.py", POLITE)
    script("daemon.py", POLITE)
    script("node.sh", f"#!/bin/sh\n'{sys.executable}' work.py &\nwait\n", mode=0o755)
    script(
        "parent.py",
        """
        import subprocess, sys
        subprocess.Popen([sys.executable, "daemon.py"], start_new_session=True).wait()
        """,
    )
    command = horus("run", "a.py", "stubborn.py", "node.sh", "parent.py")
    command.shows("listening", times=4)
    pids = [pid_in(f"{name}.py.pid") for name in ("a", "stubborn", "work", "daemon")]
    pids.append(guard_of(command))
    command.signal(signal.SIGKILL)
    assert command.wait() == -signal.SIGKILL
    wait_for(lambda: not any(map(alive, pids)), "the end of all")


def test_a_killed_launcher_lets_children_shut_down(horus, script, wait_for, pid_in, alive):
    """They get one SIGTERM and the time to heed it, not SIGKILL."""
    noting = POLITE.replace('print("got"', 'open(f"{sys.argv[0]}.got", "a").write("!") or print("got"')
    paths = [script("a.py", noting), script("b.py", noting)]
    command = horus("run", *paths)
    command.shows("listening", times=2)
    pids = [pid_in("a.py.pid"), pid_in("b.py.pid")]
    command.signal(signal.SIGKILL)
    command.wait()
    wait_for(lambda: not any(map(alive, pids)), "the end of all")
    assert [Path(f"{path}.got").read_text() for path in paths] == ["!", "!"]


def test_the_guard_may_be_killed(horus, script, wait_for, alive):
    """The launcher does without it; a launcher killed after that still takes its own children along."""
    script("a.py", POLITE)
    script("b.py", POLITE)
    command = horus("run", "a.py", "b.py")
    command.shows("listening", times=2)
    guard = guard_of(command)
    others = [pid for pid, _ in children_of(command.pid) if pid != guard]
    os.kill(guard, signal.SIGKILL)
    wait_for(lambda: not alive(guard), "the guard's end")
    command.signal(signal.SIGKILL)
    command.wait()
    assert len(others) == 2
    wait_for(lambda: not any(map(alive, others)), "the children's end")


def test_a_background_job_ignores_ctrl_c(horus, script):
    """What was started with SIGINT ignored (`horus run a.py b.py &` in a plain shell) keeps ignoring it."""
    script("a.py", POLITE)
    script("b.py", POLITE)
    command = horus("run", "a.py", "b.py", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    command.shows("listening", times=2)
    command.signal(signal.SIGINT)
    command.signal(signal.SIGTERM)
    assert command.wait() == 0
    assert "(SIGTERM)" in command.stderr
    assert "Ctrl+C):" not in command.stderr
