"""What a process logs stands in shared memory, whole, in its order, and outlives the process."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from horus_core import _native
from horus_core.control import log_file
from horus_core.shm import cleaner, namespace
from horus_plugins.monitor import logs

SAYS = """
import asyncio, logging, os, sys, threading
import horus

early = horus.Node("early", tick=lambda: None)
early.log_info("before anything is joined")

class Value:
    def __str__(self):
        logging.getLogger("values").warning("formatted")  # no lock is held meanwhile
        return "a value"

class Raises:
    def __str__(self):
        raise RuntimeError("on purpose")

def tick(node):
    node.log_debug("below the level")
    node.log_info("plain")
    node.log_warning("two\\nlines \\x1b[31m \\u202e \\ud800 {}")
    logging.getLogger("mine").warning("of %s", Value())
    logging.getLogger("mine").info("below the level of stdlib logging")
    logging.getLogger("mine").error("bad format %d", "x")
    logging.getLogger("horus").warning("HORUS says")
    thread = threading.Thread(target=node.log_error, args=("from a thread",))
    thread.start()
    thread.join()
    node.log_info(42)
    node.log_info(Raises())
    logging.getLogger("mine").warning(Raises(), 1)
    node.log_info("x" * 100_000)

def fails(node):
    raise ValueError("on purpose")

async def later(node):
    await asyncio.sleep(0)
    node.log_info("from a coroutine")

horus.run(
    horus.Node("arm", tick=tick),
    horus.Node("leg", tick=fails, failure_policy="ignore"),
    horus.Node("ear", tick=later),
    duration=0,
)
logging.raiseExceptions = False
"""


def lines_of(name):
    return logs.Reader(name).read()


# spec: D12, D14
def test_everything_that_is_said_is_stored(horus_namespace, program):
    """Lines of nodes, threads, coroutines, HORUS and stdlib logging, each with time, level, who and traceback."""
    running = program(SAYS)
    running.finish()
    lines = lines_of(horus_namespace)
    by_text = {line.text: line for line in lines}
    assert [line.number for line in lines] == [*range(1, len(lines) + 1)]
    assert {line.pid for line in lines} == {running.process.pid}
    assert lines == sorted(lines, key=lambda line: line.time_ns)
    said = [(line.level, line.source, line.node) for line in map(by_text.get, [
        "before anything is joined", "plain", "of a value", "HORUS says", "from a thread", "42", "from a coroutine",
        "formatted",
    ])]  # fmt: skip
    assert said == [
        ("info", "early", "early"),
        ("info", "arm", "arm"),
        ("warning", "mine", "arm"),
        ("warning", "horus", ""),
        ("error", "arm", "arm"),
        ("info", "arm", "arm"),
        ("info", "ear", "ear"),
        ("warning", "values", "arm"),
    ]
    assert "two\nlines \x1b[31m \u202e \\ud800 {}" in by_text
    assert any("bad format" in text and "TypeError" in text for text in by_text)
    assert sum("<Raises, whose str() fails: RuntimeError>" in text for text in by_text) == 2
    assert by_text["tick() failed"].traceback.endswith("ValueError: on purpose\n")
    assert not any("below" in text for text in by_text)
    assert max(map(len, by_text)) < 70_000
    (file,) = (namespace.path(horus_namespace) / log_file.FOLDER).iterdir()
    for line in file.read_bytes().splitlines():
        assert isinstance(json.loads(line), dict)
    assert file.stat().st_mode & 0o777 == 0o600


KILLED = """
import threading
import horus

topic = horus.Topic("t", dict)
node = horus.Node("arm", tick=lambda: None)

def talk():
    while True:
        node.log_info("x" * 3000)
        node.log_info("x" * 1000)  # the short way

for _ in range(3):
    threading.Thread(target=talk, daemon=True).start()
node.log_info("begun")
print("ready")
talk()
"""


# spec: F3
def test_a_killed_process_leaves_whole_lines(horus_namespace, program, until):
    """SIGKILL while four threads log: what is there is whole and without gaps, a torn end is passed over. Whoever
    reads along knows of every line: it was seen, or was removed. No file is ever larger than it may be, nor are there
    more of them.
    """
    running = program(KILLED)
    running.wait_for("ready")
    folder = namespace.path(horus_namespace) / "logs"
    along = logs.Reader(horus_namespace)
    seen, last, sizes = [], 0, []

    def has_seen_files_go():
        nonlocal last
        seen.extend(along.read())
        for file in folder.iterdir():
            with suppress(FileNotFoundError):
                sizes.append(file.stat().st_size)
                last = max(last, int(file.stem.rpartition("-")[2]))
        return last > 12

    until(has_seen_files_go)
    running.kill()
    files = sorted(folder.iterdir(), key=lambda file: int(file.stem.rpartition("-")[2]))
    with files[-1].open("ab") as file:
        file.write(b'{"time_ns":1,"number":99999999,"pid":1,"lev')
    lines = lines_of(horus_namespace)
    numbers = [line.number for line in lines]
    assert sorted(numbers) == [*range(min(numbers), max(numbers) + 1)]
    assert {line.text for line in lines} <= {"x" * 3000, "x" * 1000, "begun"}
    seen.extend(along.read())
    missing = along.say_missing()
    assert len({line.number for line in seen}) == len(seen)
    assert len(seen) + sum(one.removed for one in missing) == max(numbers)
    assert not any(one.lost for one in missing)
    assert along.missing() == []
    assert max(sizes) <= log_file.SEGMENT_BYTES
    assert len(files) <= log_file.SEGMENTS
    assert not log_file.is_in_use(files[-1])


FORKS = """
import os
import horus

topic = horus.Topic("t", dict)
node = horus.Node("arm", tick=lambda: None)
node.log_info("parent before")
child = os.fork()
node.log_info("child" if child == 0 else "parent after")
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
print(child)
input()
"""


def test_a_forked_child_writes_its_own_file(horus_namespace, program):
    """Parent and child each have a file; the parent's stays locked when the child has ended."""
    running = program(FORKS)
    child = int(running.line())
    lines = {line.text: line for line in lines_of(horus_namespace)}
    assert lines["child"].pid == child
    assert lines["child"].number == 1
    assert lines["parent after"].pid == running.process.pid
    files = {
        int(file.name.partition("-")[0]): file
        for file in (namespace.path(horus_namespace) / "logs").iterdir()
    }
    assert log_file.is_in_use(files[running.process.pid])
    assert not log_file.is_in_use(files[child])
    running.tell()
    running.finish()


FAR = """
import horus

def tick(node):
    node.log_info("from a process of its own")
    node.request_stop()

if __name__ == "__main__":
    horus.run(horus.Node("far", tick=tick, compute="process", failure_policy="ignore"))
"""


def test_a_compute_process_logs_too(horus_namespace, program):
    """The worker of compute="process" has a file of its own."""
    running = program(FAR)
    running.finish()
    (line,) = [line for line in lines_of(horus_namespace) if line.text == "from a process of its own"]
    assert line.node == "far"
    assert line.pid != running.process.pid


FULL = """
import os, sys
import horus
from horus_plugins.monitor import logs

topic = horus.Topic("t", dict)
node = horus.Node("arm", tick=lambda: None)
node.log_info("first")
room = os.statvfs("/dev/shm")
with open("/dev/shm/ballast", "wb") as file:
    os.posix_fallocate(file.fileno(), 0, (room.f_bavail - 16) * room.f_bsize)
for _ in range(200):
    node.log_info("x" * int(sys.argv[1]))
os.unlink("/dev/shm/ballast")
node.log_info("room again")
reader = logs.Reader(os.environ["HORUS_NAMESPACE"])
lines = reader.read()
(missing,) = reader.missing()
assert lines[0].text == "first" and lines[-1].text == "room again" and lines[-1].number == 202, lines
assert 0 < missing.lost == 202 - len(lines) and not missing.removed, missing
print("lost", missing.lost)
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
@pytest.mark.parametrize("length", [1000, 3000], ids=["short way", "long way"])
def test_what_a_full_shared_memory_refuses_is_counted(horus_namespace, length):
    """In a full /dev/shm a line is lost and nothing raises; the numbers tell how many, and the next one is whole."""
    command = 'mount -t tmpfs -o size=2m tmpfs /dev/shm && exec "$0" -c "$1" "$2"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, sys.executable, FULL, str(length)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[1]) > 50
    assert done.stderr.count(" INFO arm: ") == 202
    assert done.stderr.count("WARNING logs: no room for lines in namespace") == 1
    assert f"{horus_namespace!r}: No space left on device" in done.stderr


def short_line(log, fd, length):
    """A line by the short way; True: it went, was stored and shown."""
    log.aim(sys.stderr, fd, False, "now", 0, 1 << 62, (b"DEBUG", b"INFO", b"WARNING", b"ERROR"))
    return log.line(20, "x" * length, b'"text":', b"arm: ")


@pytest.fixture
def log(tmp_path):
    """A process's files of at most 300 bytes, two of them, in a folder that is not there yet."""
    file = _native.LogFile(300, 2)
    file.use(str(tmp_path / "logs" / "7-1"), b'{"horus_log":1,"pid":7')
    yield file
    file.use(None, b"")


def numbers_in(folder):
    files = sorted(folder.iterdir(), key=lambda file: int(file.stem.rpartition("-")[2]))
    return [[json.loads(line)["number"] for line in file.read_bytes().splitlines()] for file in files]


def test_files_are_bounded_and_their_numbers_without_gaps(log, tmp_path):
    """No file is larger than its bound, but for one of a single line; of the files the newest are kept; what was
    given up is counted in the next one's head. Lines that go the short way are among the others.
    """
    folder = tmp_path / "logs"
    with Path(os.devnull).open("wb") as nowhere:
        for _ in range(10):
            assert log.write(f'"text":"{"x" * 50}"}}\n') == 1
            assert short_line(log, nowhere.fileno(), 50) is True
            assert max(file.stat().st_size for file in folder.iterdir()) <= 300
    older, newer = numbers_in(folder)
    assert older[1:] + newer[1:] == [*range(older[0] + 1, 21)]
    assert newer[0] == older[-1]
    log.lose()
    assert log.write(f'"text":"{"x" * 500}"}}\n') == 1
    assert log.write('"text":""}\n') == 1
    assert numbers_in(folder) == [[21, 22], [22, 23]]
    assert (
        b'"number":21,"lost":1'
        in min(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns).read_bytes()
    )


def test_files_that_are_closed_removed_or_in_the_way(log, tmp_path):
    """Whatever others do to the files or the descriptor: lines go on in a new file, and never into the user's."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "7-1-1.jsonl").mkdir()
    before = {*Path("/proc/self/fd").iterdir()}
    assert log.write('"text":"first"}\n') == 1
    (fd,) = {*Path("/proc/self/fd").iterdir()} - before
    assert int(fd.name) >= 48
    os.close(int(fd.name))
    assert log.write('"text":"second"}\n') == 1
    shutil.rmtree(folder)
    log.use(str(folder / "7-2"), b'{"horus_log":1')
    assert log.write('"text":"in a new namespace"}\n') == 1
    assert numbers_in(folder)[0][-1] == 1
    log.use("/proc/nowhere/7", b"{")
    assert log.write('"text":"nowhere"}\n') == -1
    assert log.error == errno.ENOENT


LIVES = """
import shutil, sys
import horus

topic = horus.Topic("t", dict)
node = horus.Node("arm", tick=lambda: None)
for word in sys.stdin:
    node.log_info(word.strip())
    print("said", flush=True)
"""


# spec: F3
def test_the_cleaner_keeps_what_the_living_write(horus_namespace, program, monkeypatch, until):
    """Cleaning removes the logs of the dead; those of the living only for room, and never the newest file."""
    living, dead = program(LIVES), program(LIVES)
    for one in (living, dead):
        one.tell("hello")
        one.wait_for("said")
    dead.kill()
    assert [one for one in cleaner.clean([horus_namespace], dry_run=True) if "logs/" in one] == []
    removed = [one for one in cleaner.clean([horus_namespace], records=True) if "logs/" in one]
    assert [one.partition("logs/")[2].partition("-")[0] for one in removed] == [str(dead.process.pid)]
    folder = namespace.path(horus_namespace) / "logs"
    (current,) = folder.iterdir()
    older = current.with_name(current.name.replace("-1.jsonl", "-0.jsonl"))
    older.write_bytes(b"older\n")
    assert cleaner.clean([horus_namespace], records=True, dry_run=True) == []
    monkeypatch.setattr(cleaner, "_RECORDS_MAX_BYTES", 0)
    cleaner.clean([horus_namespace])
    assert [*folder.iterdir()] == [current]
    shutil.rmtree(folder)

    def says_it_anew():
        living.tell("again")
        living.wait_for("said")
        return lines_of(horus_namespace)

    assert until(says_it_anew)[0].text == "again"  # in a new file, which it makes once it has noticed
    living.process.stdin.close()
    assert living.process.wait(20) == 0


def test_a_run_that_shows_itself_to_nobody_stores_nothing(horus_namespace, program):
    """With HORUS_BACKEND=local there is stderr, and nothing in shared memory."""
    _, err = program(SAYS, HORUS_BACKEND="local").finish()
    assert "INFO arm: plain" in err
    assert not namespace.path(horus_namespace).exists()
