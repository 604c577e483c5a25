"""`horus run` with several targets: what it shows, what the processes get, what it returns."""

import re
import signal

import pytest

HEADER = """\
Executing 3 files concurrently:
  🔒 Session: SESSION
  Namespace: NAMESPACE
  1. nodes/controller.py (python)
  2. nodes/logger.py (python)
  3. nodes/sensor.py (python)

Phase 1: Building all files…
All files are ready.

Phase 2: Starting all processes…
  Started [controller]
  Started [logger]
  Started [sensor]

All processes running. Press Ctrl+C to stop.
"""


# spec: A12 E15 E18 E19
def test_a_quoted_glob_runs_every_match_alphabetically(horus, script, ns):
    """Header, session, numbered files with their language, both phases, started lines."""
    for name in ("sensor", "controller", "logger"):
        script(f"nodes/{name}.py", f"print('I am {name}')")
    command = horus("run", "nodes/*.py")
    assert command.wait() == 0
    shown = re.sub(r"Session: [0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}", "Session: SESSION", command.stderr)
    assert shown.startswith(HEADER.replace("NAMESPACE", ns))
    assert sorted(command.stdout.splitlines()) == [
        "[controller] I am controller",
        "[logger] I am logger",
        "[sensor] I am sensor",
    ]


# spec: A31 E20
def test_all_share_the_namespace_and_each_run_has_its_session(horus, script, ns):
    """The children's environment; two runs have two session ids."""
    for name in ("a.py", "b.py"):
        script(name, "import os; print(os.environ['HORUS_NAMESPACE'])")
    runs = [horus("run", "a.py", "b.py") for _ in range(2)]
    assert [command.wait() for command in runs] == [0, 0]
    assert sorted(runs[0].stdout.split()) == ["[a]", "[b]", ns, ns]
    sessions = {re.search("Session: (.*)", command.stderr).group(1) for command in runs}
    assert len(sessions) == 2


# spec: F1
def test_isolated_is_a_namespace_of_its_own(horus, script, ns):
    """`--isolated` shares with nobody, not even with another run of the same terminal."""
    script("a.py", "import os; print(os.environ['HORUS_NAMESPACE'])")
    runs = [horus("run", "--isolated", "a.py") for _ in range(2)]
    assert [command.wait() for command in runs] == [0, 0]
    names = {command.stdout.removeprefix("[a] ").strip() for command in runs}
    assert len(names) == 2
    assert ns not in names


def test_arguments_reach_every_target(horus, script):
    """What follows `--` is sys.argv of each."""
    for name in ("a.py", "b.py"):
        script(name, "import sys; print(sys.argv[1:])")
    command = horus("run", "a.py", "b.py", "--", "--fast", "1")
    assert command.wait() == 0
    assert sorted(command.stdout.splitlines()) == ["[a] ['--fast', '1']", "[b] ['--fast', '1']"]


def test_labels_are_different_also_where_stems_are_not(horus, script):
    """The folder is added where file stems repeat, a number where that is not enough."""
    for name in ("arm/main.py", "base/main.py"):
        script(name, "print('x')")
    command = horus("run", "arm/main.py", "base/main.py", "base/main.py")
    assert command.wait() == 0
    assert sorted(command.stdout.splitlines()) == ["[arm/main] x", "[base/main#2] x", "[base/main] x"]


def test_python_and_executables_run_together(horus, script):
    """Languages mix; the list says which is which."""
    script("detector.py", "print('python')")
    script("motor", "#!/bin/sh\necho native\n", mode=0o755)
    command = horus("run", "motor", "detector.py")
    assert command.wait() == 0
    assert "1. motor (executable)" in command.stderr
    assert sorted(command.stdout.splitlines()) == ["[detector] python", "[motor] native"]


def test_a_syntax_error_starts_nothing(horus, script, tmp_path):
    """Phase 1 finds it, with file and line, before anything moves."""
    script("a.py", "import pathlib; pathlib.Path('started').touch()")
    script("b.py", "x = = 1\n")
    command = horus("run", "a.py", "b.py")
    assert command.wait() == 1
    assert re.search(r'File ".*b.py", line 1', command.stderr)
    assert "Phase 2" not in command.stderr
    assert "SyntaxError" in command.stderr
    assert not (tmp_path / "started").exists()


def test_one_that_cannot_start_stops_the_others(horus, script, pid_in, alive):
    """A half-started robot does not go on."""
    script("a.py", "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)")
    script("alien", "\x7fELF nothing", mode=0o755)
    command = horus("run", "a.py", "alien")
    assert command.wait() == 1
    assert "Starting [alien] failed: Exec format error" in command.stderr
    assert "SIGTERM to [a]" in command.stderr


@pytest.mark.parametrize(
    ("ending", "code", "says"),
    [
        ("sys.exit(3)", 3, "ended with exit code 3"),
        ("raise RuntimeError('boom')", 1, "ended with exit code 1"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 128 + signal.SIGSEGV, "was ended by SIGSEGV (signal 11)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL, "was ended by SIGKILL (signal 9)"),
        ("os.kill(os.getpid(), signal.SIGTERM)", 128 + signal.SIGTERM, "was ended by SIGTERM (signal 15)"),
    ],
)
# spec: A42 F18
def test_a_crash_is_reported_at_once_and_stays_where_it_happened(horus, script, ending, code, says):
    """The others go on, and the exit code of the whole tells of it, even after a requested stop."""
    script("bad.py", f"import os, signal, sys\nprint('last words', end='')\n{ending}")
    script("good.py", "import time\nwhile True: print('alive'); time.sleep(0.02)")
    command = horus("run", "bad.py", "good.py")
    command.shows(says)
    assert "; the others go on" in command.stderr
    command.shows("[bad] last words\n")
    seen = command.stdout.count("alive")
    command.shows("alive", times=seen + 3)
    command.signal(signal.SIGINT)
    assert command.wait() == code


# spec: F18
def test_the_worst_exit_code_counts(horus, script):
    """Not the first, not the last."""
    for name, code in (("a", 2), ("b", 5), ("c", 0)):
        script(f"{name}.py", f"raise SystemExit({code})")
    assert horus("run", "a.py", "b.py", "c.py").wait() == 5


def test_the_end_of_children_is_seen_where_sigchld_was_ignored(horus, script):
    """Whoever starts the command may ignore SIGCHLD, which is inherited; exit codes are known all the same."""
    script("good.py", "")
    script("bad.py", "raise SystemExit(3)")
    run = horus("run", "good.py", "bad.py", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert run.wait() == 3


def test_processes_that_share_nothing_are_told(horus, script, monkeypatch):
    """With HORUS_BACKEND=local each has topics of its own: one line says so, where there are several."""
    one, two = script("one.py", "print(1)"), script("two.py", "print(2)")
    monkeypatch.setenv("HORUS_BACKEND", "local")
    several = horus("run", one, two)
    assert several.wait() == 0
    assert several.stderr.count("HORUS_BACKEND=local: each process keeps its topics to itself") == 1
    alone = horus("run", one)
    assert alone.wait() == 0
    assert "HORUS_BACKEND" not in alone.stderr
