"""`horus run` with one target: the command becomes the target."""

import os
import signal
import subprocess
import sys

import pytest


# spec: A11 A15 F18
def test_the_process_becomes_the_script(horus, script):
    """Same pid: who started the command can signal the script, and sees its exit code."""
    script("sensor.py", "import os, sys; print(os.getpid()); sys.exit(7)")
    command = horus("run", "sensor.py")
    assert command.wait() == 7
    assert int(command.stdout) == command.pid


# spec: F18
def test_it_is_a_real_main_script(horus, script):
    """Sibling imports, `__file__`, `__name__`, argv, interpreter and tracebacks are python's own."""
    script("nodes/helper.py", "value = 'imported'")
    path = script(
        "nodes/sensor.py",
        """
        import sys
        import helper
        print(helper.value, __name__, __file__, sys.argv[1:], sys.executable)
        raise RuntimeError("boom")
        """,
    )
    command = horus("run", "nodes/sensor.py", "--", "--rate", "5", "--", "-x")
    assert command.wait() == 1
    assert command.stdout.strip() == f"imported __main__ {path} ['--rate', '5', '--', '-x'] {sys.executable}"
    assert f'File "{path}", line 5, in <module>' in command.stderr
    assert command.stderr.endswith("RuntimeError: boom\n")


# spec: E17
def test_the_main_guard_runs(horus, script):
    """`if __name__ == "__main__"` is true under `horus run`."""
    script("a.py", "if __name__ == '__main__': print('guarded')")
    command = horus("run", "a.py")
    assert command.wait() == 0
    assert command.stdout == "guarded\n"


# spec: A28 F1
def test_the_namespace_is_printed_and_handed_down(horus, script, ns):
    """On stderr at the start, and in the script's environment."""
    script("a.py", "import os; print(os.environ['HORUS_NAMESPACE'])")
    command = horus("run", "a.py")
    assert command.wait() == 0
    assert command.stdout == f"{ns}\n"
    assert command.stderr == f"Namespace: {ns}\n"


# spec: A27
def test_without_the_variable_the_session_names_it(horus, script, monkeypatch):
    """What a script gets is what it would work out by itself in that terminal."""
    monkeypatch.delenv("HORUS_NAMESPACE")
    script("a.py", "import os; print(os.environ['HORUS_NAMESPACE'], os.getsid(0))")
    command = horus("run", "a.py")
    assert command.wait() == 0
    name, session = command.stdout.split()
    assert name == f"sid{session}_uid{os.getuid()}"


def test_output_shows_when_it_is_printed(horus, script):
    """Through a pipe, too: output is not buffered until the end."""
    script("a.py", "import time; print('now'); time.sleep(60)")
    command = horus("run", "a.py")
    command.shows("now")
    command.signal(signal.SIGTERM)
    assert command.wait() == -signal.SIGTERM


def test_stdin_and_terminal_stay(horus, script):
    """A script that asks gets the answer: breakpoints and prompts work."""
    script("a.py", "print(input())")
    command = horus("run", "a.py", stdin=subprocess.PIPE)
    command.process.stdin.write(b"answer\n")
    command.process.stdin.close()
    assert command.wait() == 0
    assert command.stdout == "answer\n"


# spec: A37
@pytest.mark.parametrize("word", ["motor_controller", "./motor_controller"])
def test_an_executable_runs(horus, script, word):
    """A file that the system can execute, with arguments, and with SIGPIPE as any program expects it."""
    script("motor_controller", '#!/bin/sh\necho "$@" $HORUS_NAMESPACE\nexit 3\n', mode=0o755)
    command = horus("run", word, "--", "a", "b")
    assert command.wait() == 3
    assert command.stdout.split()[:2] == ["a", "b"]


# spec: A37
def test_a_compiled_program_runs(horus, tmp_path):
    """A program from a compiler."""
    source = '#include <stdio.h>\nint main(void) { puts("compiled"); return 4; }\n'
    subprocess.run(["cc", "-x", "c", "-", "-o", tmp_path / "node"], input=source, text=True, check=True)
    command = horus("run", "node")
    assert command.wait() == 4
    assert command.stdout == "compiled\n"


def test_sigpipe_is_the_systems_own_for_programs(horus, script):
    """Python ignores SIGPIPE; a program that horus runs must not inherit that."""
    script("show", "#!/bin/sh\nexec grep SigIgn /proc/self/status\n", mode=0o755)
    command = horus("run", "show")
    assert command.wait() == 0
    assert not int(command.stdout.split()[1], 16) & 1 << (signal.SIGPIPE - 1)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("sensr.py", "Did you mean 'sensor.py'?"),
        ("camera", "looked for the file"),
        ("*.rs", "no file matches"),
        ("folder", "got a directory"),
        ("notes.txt", "neither"),
    ],
)
# spec: F18
def test_what_cannot_be_run_says_what_was_looked_for(horus, script, word, says):
    """Exit code 1 and one sentence that helps."""
    script("sensor.py", "")
    script("notes.txt", "")
    script("folder/x.py", "")
    command = horus("run", word)
    assert command.wait() == 1
    assert says in command.stderr
    assert "Traceback" not in command.stderr
    assert command.stdout == ""


def test_a_program_of_another_machine_is_one_sentence(horus, script):
    """The system's refusal to execute is reported, not thrown."""
    script("alien", "\x7fELF nothing", mode=0o755)
    command = horus("run", "alien")
    assert command.wait() == 1
    assert "Starting alien failed: Exec format error" in command.stderr


def test_a_script_under_popen_stops_with_its_parent_signal(horus, script, tmp_path, wait_for):
    """A companion started with Popen(["horus", "run", ...]) takes terminate() itself and can clean up."""
    script(
        "sensor.py",
        """
        import signal, sys, time, pathlib
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(pathlib.Path("stopped").touch()))
        print("ready")
        while True: time.sleep(0.05)
        """,
    )
    command = horus("run", "sensor.py")
    command.shows("ready")
    command.process.terminate()
    assert command.wait() == 0
    assert wait_for((tmp_path / "stopped").exists, "clean-up")
