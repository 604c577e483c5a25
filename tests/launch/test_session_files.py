"""The files of a session: bounded, replaced as a whole, and no trouble when they cannot be written or read."""

import os
import resource
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from horus_core.errors import LaunchError
from horus_core.shm import cleaner, process
from horus_plugins.launch import manifest, sessions
from horus_plugins.launch.manifest import Exit, LaunchedNode, LaunchedScheduler, Manifest
from horus_plugins.launch.session.claim import claim
from horus_plugins.launch.session.events import Events
from horus_plugins.launch.session.files import LineFile


def put(file, *lines):
    for line in lines:
        file.put(line)
        file.flush()


def test_a_file_of_lines_is_rotated_and_never_larger_than_it_may_be(tmp_path):
    """What is full becomes .1, that .2; what was there from an earlier run counts, and is appended to."""
    path = tmp_path / "deep" / "a.log"
    file = LineFile(path, most_bytes=20, older=2)
    put(file, *(b"line %d\n" % number for number in range(9)))
    file.close()
    names = ("a.log", "a.log.1", "a.log.2")
    assert [path.with_name(name).read_bytes() for name in names] == [
        b"line 8\n",
        b"line 6\nline 7\n",
        b"line 4\nline 5\n",
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    again = LineFile(path, most_bytes=20, older=2)
    put(again, b"line 9\n", b"x" * 19 + b"\n")
    assert path.with_name("a.log.1").read_bytes() == b"line 8\nline 9\n"
    again.close()


def test_a_file_that_cannot_be_written_costs_lines_and_nothing_else(tmp_path):
    """A full disk, a folder that is a file; one whose file was removed is made anew."""
    full = LineFile(Path("/dev/full"), most_bytes=1000)
    put(full, b"1\n2\n")
    assert full.lost == 2
    tmp_path.joinpath("file").touch()
    nowhere = LineFile(tmp_path / "file" / "a.log", most_bytes=1000)
    put(nowhere, b"1\n")
    assert nowhere.lost == 1
    file = LineFile(tmp_path / "a.log", most_bytes=1000)
    put(file, b"1\n")
    (tmp_path / "a.log").unlink()
    put(file, b"2\n")
    assert (tmp_path / "a.log").read_bytes() == b"2\n"
    file.close()


@contextmanager
def no_larger_than(size):
    """No file of this process grows beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_line_is_written_whole_or_not_at_all(tmp_path):
    """What a disk takes only half of would spoil the next line, too."""
    file = LineFile(tmp_path / "a.log", most_bytes=1000)
    put(file, b"line 1\n")
    with no_larger_than(10):
        put(file, b"line 2\n")
    put(file, b"line 3\n")
    file.close()
    assert file.path.read_bytes() == b"line 1\nline 3\n"
    assert file.lost == 1


# spec: C14
def test_events_that_found_no_room_are_counted_in_the_next(horus_namespace):
    """A gap in the log is told, and only once."""
    events = Events(horus_namespace, "robot")
    events.note("SessionStart")
    with no_larger_than(0):
        events.note("NodeCrashed", node="a")
        events.note("NodeRestarted", node="a")
    events.note("NodeReady", node="a")
    events.note("SessionStop")
    lines = map(msgspec.json.decode, events.file.path.read_bytes().splitlines())
    found = [(line["event"], line.get("lost_before")) for line in lines]
    assert found == [("SessionStart", None), ("NodeReady", 2), ("SessionStop", None)]


def made(namespace, session="robot", **changes):
    member = process.member(namespace)
    own = Manifest(
        session, namespace, "/robot.yaml", os.getpid(), member.ident, 1, 1, manifest.control_topic(session)
    )
    return msgspec.structs.replace(own, **changes)


# spec: C8
def test_a_manifest_is_read_as_it_was_written_and_its_life_is_the_kernels_word(horus_namespace):
    """Alive is who holds the lock: neither a pid that lives nor what the file says of it."""
    rows = [
        LaunchedNode(
            "a",
            "running",
            7,
            ["sleep", "1"],
            [LaunchedScheduler("a", 8, "horus.ctl.a", ["a", "b"])],
            last_exit=Exit(5, 6, signal="SIGSEGV", text="ended by SIGSEGV"),
        )
    ]
    manifest.write(made(horus_namespace, nodes=rows))
    manifest.write(made(horus_namespace, "other", ident=12345 << 16 | 9))
    raw = msgspec.json.decode(manifest.path(horus_namespace, "robot").read_bytes())
    assert "alive" not in raw
    assert raw["nodes"][0]["pid"] == 7
    other, robot = manifest.sessions(horus_namespace)
    assert (robot.alive, other.alive) == (True, False)
    assert robot.nodes == rows
    assert robot.node_of(7) is robot.node_of(8) is robot.nodes[0]
    assert robot.node_of(0) is robot.node_of(9) is None
    assert [found.session for found in sessions.look(horus_namespace).sessions] == ["robot"]
    with pytest.raises(LaunchError, match=r"expected one that runs, got one whose launcher .* was killed"):
        sessions.find("other", horus_namespace)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"session": "robot"}', b"null", b'"' + b"x" * 99]
)
def test_a_manifest_that_makes_no_sense_is_told_and_harms_nobody(horus_namespace, data):
    """Whatever lies there: the others are read, and the name can be taken."""
    manifest.write(made(horus_namespace, "good"))
    manifest.path(horus_namespace, "robot").write_bytes(data)
    found, unreadable = manifest.look(horus_namespace)
    assert [session.session for session in found] == ["good"]
    assert list(unreadable) == ["robot"]
    listed = sessions.look(horus_namespace)
    assert list(listed.unreadable) == [f"{horus_namespace}/robot"]
    assert claim(made(horus_namespace), process.member(horus_namespace)) == ""


def test_a_manifest_under_another_name_or_behind_a_link_is_not_believed(horus_namespace, tmp_path):
    """Each is read by the name of its file, and only where it lies."""
    manifest.write(made(horus_namespace))
    real = manifest.path(horus_namespace, "robot")
    manifest.path(horus_namespace, "copy").write_bytes(real.read_bytes())
    manifest.path(horus_namespace, "link").symlink_to(real)
    os.mkfifo(manifest.path(horus_namespace, "pipe"))
    found, unreadable = manifest.look(horus_namespace)
    assert [session.session for session in found] == ["robot"]
    assert sorted(unreadable) == ["copy", "link", "pipe"]


# spec: F3
def test_cleaning_takes_the_files_of_sessions_that_are_over_and_of_no_other(horus_namespace):
    """However old they are: what belongs to a living launcher stays."""
    manifest.write(made(horus_namespace))
    manifest.write(made(horus_namespace, "dead", ident=12345 << 16 | 9))
    home = manifest.folder(horus_namespace)
    names = [
        "robot.events.jsonl",
        "robot.log.1",
        "robot/a.log",
        "dead.log",
        "dead/a.log",
        "over/a.log",
        "over.log",
    ]
    for name in names:
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(b"x\n")
        os.utime(home / name, (1, 1))
    cleaner.clean([horus_namespace], records=True)
    left = sorted(str(file.relative_to(home)) for file in home.rglob("*") if file.is_file())
    assert left == ["robot.events.jsonl", "robot.json", "robot.log.1", "robot/a.log"]


def test_the_name_of_a_living_session_is_refused_naming_who_has_it(horus_namespace):
    """A dead launcher's name is taken over, with its run id."""
    member = process.member(horus_namespace)
    assert claim(made(horus_namespace), member) == ""
    with pytest.raises(
        LaunchError, match=rf"pid={os.getpid()}, file=/robot.yaml\). `horus launch --stop robot`"
    ):
        claim(made(horus_namespace), member)
    manifest.write(made(horus_namespace, ident=12345 << 16 | 9, run_id="dead"))
    assert claim(made(horus_namespace), member) == "dead"
    for name in (".robot", "r" * 106):
        with pytest.raises(LaunchError, match="at most 105 characters that does not start with a dot"):
            claim(made(horus_namespace, name), member)
