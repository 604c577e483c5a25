"""Regions that cannot be trusted: an error that says so, never a crash of the interpreter and never a hang."""

from __future__ import annotations

import gc
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import horus

VERSION, READY, SIZE, BOOT, KIND, CAPACITY, PAYLOAD, META = 8, 12, 16, 24, 40, 64, 68, 72  # docs/protocol.md


@pytest.fixture(scope="module")
def kept():
    """A namespace with a topic that a process keeps open: any command on this machine removes what nobody uses."""
    name = f"kept{os.getpid()}"
    source = "import horus\ntopic = horus.Topic('t', dict)\nprint('up', flush=True)\ninput()\n"
    environ = {**os.environ, "HORUS_NAMESPACE": name}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", source], **pipes, env=environ) as keeper:
        assert keeper.stdout.readline() == b"up\n"
        yield Path(f"/dev/shm/horus_{name}.topic.t")
        keeper.kill()
    from horus_core.shm import cleaner

    cleaner.clean([name])


@pytest.fixture
def region(kept, monkeypatch):
    """The file of a topic in use; it is made good again after the test."""
    monkeypatch.setenv("HORUS_NAMESPACE", kept.name.split(".")[0].removeprefix("horus_"))
    good = kept.read_bytes()
    yield kept
    with kept.open("r+b") as file:
        file.write(good)


def change(path, offset, data):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize(
    ("offset", "data", "says"),
    [
        (0, b"ELF", "other bytes"),
        (VERSION, struct.pack("<I", 77), "layout version 77"),
        (READY, bytes(4), "finished"),
        (BOOT, bytes(16), "boot"),
        (KIND, struct.pack("<I", 9), "kind"),
        (CAPACITY, struct.pack("<I", 7), "power of two"),
        (CAPACITY, struct.pack("<I", 1 << 20), "geometry"),
        (PAYLOAD, struct.pack("<I", 1 << 31), "payload"),
        (META, struct.pack("<Q", 1 << 63), "description"),
        (SIZE, struct.pack("<Q", 1 << 40), "geometry"),
        (62016, b"[1, 2, 3, 4, ", "description"),
    ],
)
def test_a_region_with_a_lie_is_refused_by_name(region, offset, data, says):
    """Whatever does not fit is a RegionError that says what, which file, and what to do."""
    change(region, offset, data)
    for wanted in (dict, None):
        with pytest.raises(horus.RegionError, match=says) as caught:
            horus.Topic("t", wanted)
        assert str(region) in str(caught.value)
        assert "horus clean" in str(caught.value)


@pytest.mark.parametrize("length", [0, 1, 100, 255, 4096, 62016, 70000])
def test_a_truncated_region_is_refused(region, length):
    """A file shorter than its header says is refused before anything of it is used."""
    gc.collect()  # a mapping in the traceback of an earlier test's error would fault when it is collected
    os.truncate(region, length)
    with pytest.raises(horus.RegionError, match="expected"):
        horus.Topic("t", dict)


BAD_INDEX = """
import fcntl
import os
import struct
from pathlib import Path
import horus
from horus_core.shm import namespace
with namespace.locked(namespace.current()):  # any command on this machine removes what nobody uses
    held = Path(PATH).open("wb")
    fcntl.fcntl(held, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0x100000, 1, 0))
for content in (b"", bytes(64), b"HORUSIDX" + bytes(20000), bytes(40000), b"HORUSIDX" + bytes(40000)):
    Path(PATH).write_bytes(content)
    try:
        horus.Topic("t")
    except horus.RegionError as error:
        print(error)
"""


def test_a_corrupt_index_is_refused(program, horus_namespace):
    """The table of processes is looked at as hard as a topic's region."""
    path = f"/dev/shm/horus_{horus_namespace}.index"
    out, _ = program(f"PATH = {path!r}\n{BAD_INDEX}").finish()
    lines = out.splitlines()
    assert len(lines) == 5
    assert all("Joining namespace" in line and path in line for line in lines)


FUZZ = """
import logging
import os
import random
import signal
from pathlib import Path
import horus
path, rounds = Path(PATH), ROUNDS
class Grip(horus.Message):
    width: horus.f64 = 0.0
    name: str = horus.text(16)
    ranges: object = horus.array(horus.f32, 8, bounded=True)
message = Grip(width=0.5) if TYPED else {"a": 1}
made = horus.Topic("t", capacity=16)
made.send(message)
inside, ready = os.pipe()
child = os.fork()
if child == 0:  # somebody keeps the region in use: any command on this machine removes what nobody uses
    keeper = horus.Topic("t")
    os.write(ready, b"x")
    signal.pause()
os.read(inside, 1)
made.close()
logging.disable()
good = path.read_bytes()
rng = random.Random(SEED)
# a field of the header, the tables, the description, or any byte of those
where = [range(256), range(256, 2304), range(2304, 62016), range(62016, 62016 + 400), range(62016, len(good))]
opened = refused = 0
for _ in range(rounds):
    bad = bytearray(good)
    for _ in range(rng.randrange(1, 4)):
        at = rng.choice(rng.choice(where))
        bad[at] = rng.choice([0, 255, rng.randrange(256), bad[at] ^ (1 << rng.randrange(8))])
    with path.open("r+b") as file:
        file.write(bad)
    try:
        with horus.Topic("t") as topic:
            opened += 1
            topic.latest(), topic.history(3), topic.recv(), topic.has_msg(), topic.pending, topic.missed
            topic.publishers, topic.subscribers, topic.stats()
            topic.send(message)
            topic.recv()
            topic.wait(0)
    except horus.HorusError:
        refused += 1
print(opened > rounds / 10, refused > rounds / 10)
os.kill(child, signal.SIGKILL)
"""


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_random_mutations_of_a_region_raise_or_work(program, region_of, seed, typed):
    """Thousands of changed headers, tables, descriptions and slots: HorusError or a handle that works."""
    source = f"PATH, ROUNDS, SEED, TYPED = {str(region_of('t'))!r}, 700, {seed}, {typed}\n" + FUZZ
    out, _ = program(source).finish()
    assert out.strip() == "True True"


SCRIBBLER = """
import mmap
import random
with open(PATH, "r+b") as file:
    memory = mmap.mmap(file.fileno(), 0)
print("scribbling", flush=True)
rng = random.Random(5)
start = 62016 + 256
while True:
    for _ in range(1000):
        at = rng.randrange(start, len(memory) - 8) & ~7
        word = rng.randrange(1 << 64) if rng.random() < 0.5 else rng.randrange(1 << 20) << 16
        memory[at : at + 8] = word.to_bytes(8, "little")
"""


def test_slots_that_change_while_they_are_read_crash_nobody(program, region_of):
    """A process that scribbles over the slots: recv gives a message or None or raises HorusError, send returns."""
    topic = horus.Topic("t", capacity=16)
    topic.send({"a": 1})
    scribbler = program(SCRIBBLER.replace("PATH", repr(str(region_of("t")))))
    scribbler.wait_for("scribbling")
    outcomes = set()
    for number in range(3000):
        try:
            topic.send({"n": number, "text": "x" * (number % 200)})
            outcomes.add(type(topic.recv()).__name__)
            topic.latest()
            topic.history(4)
            topic.stats()
        except horus.HorusError as error:
            outcomes.add(type(error).__name__)
    assert outcomes
    scribbler.kill()
