"""Output of several processes: whole lines, every byte, and no reader can stop a robot."""

import os
import signal
import subprocess
import sys
import time


def test_lines_of_several_processes_do_not_mix(horus, script):
    """Each line carries one label and the text of one process, also when written fast and in pieces."""
    code = """
        import os, sys
        name = sys.argv[0][0]
        for number in range(2000):
            for piece in (name * 10, name * 10, f" {number}\\n"):
                os.write(1 + number % 2, piece.encode())
        """
    script("a.py", code)
    script("b.py", code)
    command = horus("run", "a.py", "b.py")
    assert command.wait() == 0
    for shown, parity in ((command.stdout, 0), (command.stderr, 1)):
        lines = [line for line in shown.splitlines() if line.startswith(("[a] a", "[b] b"))]
        for name in "ab":
            mine = [line for line in lines if line.startswith(f"[{name}]")]
            assert mine == [f"[{name}] {name * 20} {n}" for n in range(parity, 2000, 2)]
    assert len(command.stdout.splitlines()) == 2000


# spec: F18
def test_bytes_that_are_no_text_pass_unchanged(horus, script):
    """Neither our encoding nor the locale touches what a process prints."""
    script("a.py", "import os; os.write(1, bytes(b for b in range(256) if b != 10) + b'\\n')")
    script("b.py", "print('Grüße 🤖')")
    for locale in (
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ):
        script("b.py", "print('Grüße 🤖'.encode('ascii', 'replace').decode())")
        command = horus("run", "a.py", "b.py", env={**os.environ, **locale})
        assert command.wait() == 0, command.stderr
        assert b"[a] " + bytes(b for b in range(256) if b != 10) + b"\n" in bytes(command.out)
        assert "All processes running. Press Ctrl+C to stop." in command.stderr


def test_an_unfinished_last_line_is_shown(horus, script):
    """Without its newline, and after a kill, too."""
    script("a.py", "print('no newline', end='')")
    script("b.py", "import os, signal; print('cut', end=''); os.kill(os.getpid(), signal.SIGKILL)")
    command = horus("run", "a.py", "b.py")
    assert command.wait() == 137
    assert sorted(command.stdout.splitlines()) == ["[a] no newline", "[b] cut"]


def test_a_line_without_end_takes_no_memory_for_ever(horus, script):
    """A process that never ends its line is shown in pieces; nothing is lost."""
    script("a.py", "import os\nfor _ in range(100): os.write(1, b'x' * 10000)")
    script("b.py", "")
    command = horus("run", "a.py", "b.py")
    assert command.wait() == 0
    lines = command.stdout.splitlines()
    assert len(lines) > 1
    assert sum(line.count("x") for line in lines) == 1_000_000


def test_a_slow_reader_gets_everything(horus, script):
    """Who reads slowly but steadily loses nothing: the processes wait, as in any pipeline."""
    script("a.py", "for n in range(60000): print(n, 'x' * 50)")
    script("b.py", "")
    read, write = os.pipe()
    command = subprocess.Popen(
        [sys.executable, "-m", "horus_cli", "run", "a.py", "b.py"], stdout=write, stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as stream:
        pieces = []
        while piece := stream.read(40000):
            pieces.append(piece)
            time.sleep(0.01)  # this is the slowness itself
    assert command.wait(30) == 0
    assert b"".join(pieces).decode().splitlines() == [f"[a] {n} {'x' * 50}" for n in range(60000)]


def test_a_reader_that_stops_reading_stops_nobody(horus, script, tmp_path, wait_for):
    """A pager on its first page: the processes go on, and lines that find no room are counted."""
    script(
        "a.py",
        """
        import pathlib, time
        line = "x" * 1000
        for n in range(5000):
            print(line)
        pathlib.Path("done").touch()
        time.sleep(60)
        """,
    )
    script("b.py", "import time; time.sleep(60)")
    read, write = os.pipe()
    command = subprocess.Popen(
        [sys.executable, "-m", "horus_cli", "run", "a.py", "b.py"], stdout=write, stderr=subprocess.DEVNULL
    )
    os.close(write)
    try:
        wait_for((tmp_path / "done").exists, "5 MB printed to nobody")
        command.send_signal(signal.SIGTERM)
        with os.fdopen(read, "rb") as stream:
            shown = stream.read()
        assert command.wait(30) == 0
    finally:
        command.kill()
        command.wait()
    assert b"lines lost here: nobody read them" in shown or len(shown) < 5_000_000


def test_a_reader_that_leaves_stops_nobody(horus, script, tmp_path, wait_for):
    """`horus run a.py b.py | head -1`: the processes go on, and can still be stopped."""
    script(
        "a.py",
        """
        import pathlib, time
        for n in range(2000):
            print(n, "x" * 100)
        pathlib.Path("done").touch()
        time.sleep(60)
        """,
    )
    script("b.py", "import time; time.sleep(60)")
    command = subprocess.Popen(
        [sys.executable, "-m", "horus_cli", "run", "a.py", "b.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert command.stdout.readline().startswith(b"[a] 0")
        command.stdout.close()
        wait_for((tmp_path / "done").exists, "all printed after the reader had left")
        command.send_signal(signal.SIGTERM)
        assert b"Traceback" not in command.stderr.read()
        assert command.wait(30) == 0
    finally:
        command.stderr.close()
        command.kill()
        command.wait()


def test_closed_streams_are_no_obstacle(horus, script, tmp_path):
    """Started with stdout and stderr closed, as some service managers do."""
    script("a.py", "import pathlib; pathlib.Path('ran').touch(); print('x')")
    script("b.py", "")
    line = f"'{sys.executable}' -m horus_cli run a.py b.py >&- 2>&-"
    assert subprocess.run(line, shell=True, check=False).returncode == 0
    assert (tmp_path / "ran").exists()


def test_stdout_and_stderr_to_one_place_keep_their_order(horus, script):
    """With 2>&1 a process's own line and what we say about its end come in that order."""
    script("a.py", "print('last'); raise SystemExit(3)")
    script("b.py", "")
    line = f"'{sys.executable}' -m horus_cli run a.py b.py 2>&1"
    shown = subprocess.run(line, shell=True, check=False, capture_output=True, text=True).stdout
    assert shown.index("[a] last") < shown.index("[a] ended with exit code 3")
