"""`horus clean`, and the cleaning that every command does: all that is dead, nothing that lives."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from horus_core.errors import RegionError
from horus_core.shm import cleaner, namespace
from horus_core.topics.topic import Topic

PUBLISHER = """
    import sys, time
    import horus
    topic = horus.Topic(sys.argv[1], dict)
    topic.send({"x": 1})
    print("sent", flush=True)
    while True:
        time.sleep(0.05)
    """


@pytest.fixture
def publisher(script, ns, tmp_path):
    """A process that has sent on a topic and lives: `publisher("a")`."""
    path = script("publisher.py", PUBLISHER)
    running = []

    def start(topic, where=ns):
        process = subprocess.Popen(
            [sys.executable, path, topic],
            stdout=subprocess.PIPE,
            env={**os.environ, "HORUS_NAMESPACE": where},
        )
        running.append(process)
        assert process.stdout.readline() == b"sent\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


# spec: A44 A61 F3
def test_it_removes_what_the_dead_left_and_prints_it(horus, publisher, ns):
    """The region of a killed publisher goes, and with the last process the namespace."""
    kill(publisher("left.behind"))
    region = namespace.topic_region(ns, "left.behind")
    assert (namespace.SHM / region).exists(), "a region outlives its process"
    command = horus("clean", "--shm")
    assert command.wait() == 0
    assert f"/dev/shm/{region}\n" in command.stdout
    assert "Removed" in command.stderr
    assert not namespace.regions(ns)
    assert not namespace.path(ns).exists()


# spec: F3
def test_it_never_removes_what_a_living_process_uses(horus, publisher, ns):
    """Beside the living, only the dead one's topic goes."""
    publisher("living")
    kill(publisher("dead"))
    command = horus("clean")
    assert command.wait() == 0
    assert command.stdout == f"/dev/shm/{namespace.topic_region(ns, 'dead')}\n"
    assert namespace.topic_region(ns, "living") in namespace.regions(ns)
    again = horus("clean")
    assert again.wait() == 0
    assert again.stdout == ""
    assert "Nothing to remove" in again.stderr


# spec: F3
def test_a_dry_run_only_shows(horus, publisher, ns):
    """The same list, and everything still there."""
    kill(publisher("a"))
    shown = horus("clean", "--dry-run", "--json")
    assert shown.wait() == 0
    before = namespace.regions(ns)
    assert before
    removed = horus("clean", "--json")
    assert removed.wait() == 0
    assert json.loads(shown.stdout)["removed"] == json.loads(removed.stdout)["removed"]
    assert json.loads(shown.stdout)["dry_run"] is True
    assert not namespace.regions(ns)


# spec: F3
def test_records_go_with_clean_and_stay_otherwise(horus, script, ns):
    """A crashed node's record survives other commands; `horus clean` removes it."""
    record = namespace.directory(ns) / "nodes" / "camera.json"
    record.parent.mkdir()
    record.write_text('{"ident": 65537}')
    script("a.py", "")
    assert horus("run", "a.py").wait() == 0
    assert record.exists()
    assert horus("clean").wait() == 0
    assert not record.exists()


# spec: F3
def test_records_that_do_not_say_whose_they_are_stay_while_somebody_lives(publisher, ns):
    """A blackbox, a log, or a file of a later version may be a living process's: its age and size decide, and nothing
    does once nobody lives here any more.
    """
    living = publisher("t")
    folder = namespace.directory(ns) / "logs"
    folder.mkdir()
    unknown = {
        name: folder / name for name in ("camera.log", "blackbox.bin", "half.json", "text.json", "huge.json")
    }
    contents = [
        b"started\n",
        bytes(100),
        b'{"ident": 65',
        b'{"ident": "65537"}',
        b'{"ident": 1180591620717411303424}',
    ]
    for file, content in zip(unknown.values(), contents, strict=True):
        file.write_bytes(content)
    dead = folder / "dead.json"
    dead.write_text('{"ident": 65537}')
    assert cleaner.clean([ns]) == []
    assert cleaner.clean([ns], records=True) == [f"horus_{ns}/logs/dead.json"]
    old = unknown.pop("camera.log")
    os.utime(old, (1, 1))
    assert cleaner.clean([ns]) == [f"horus_{ns}/logs/camera.log"]
    with unknown["blackbox.bin"].open("r+b") as big:
        big.truncate(65 * 2**20)  # a hole: it takes no memory
    os.utime(unknown["blackbox.bin"], (time.time() - 60,) * 2)
    assert cleaner.clean([ns]) == [f"horus_{ns}/logs/blackbox.bin"]
    kill(living)
    cleaner.clean([ns], records=True)
    assert not namespace.path(ns).exists()


# spec: A47 A64
@pytest.mark.parametrize("arguments", [["topic", "list"], ["run", "a.py"], ["run", "a.py", "b.py"]])
def test_every_command_cleans_every_namespace_quietly(horus, publisher, script, ns, arguments):
    """What another namespace's dead processes left is gone after any command, without a word about it."""
    other = f"{ns}-other"
    left_by = publisher("a", where=other)
    with namespace.locked(other):  # else any other command on this machine may clean first
        kill(left_by)
        assert namespace.regions(other)
    script("a.py", "")
    script("b.py", "")
    command = horus(*arguments)
    assert command.wait() == 0
    assert not namespace.regions(other)
    assert other not in command.stdout + command.stderr


# spec: F3
def test_all_cleans_every_namespace_of_this_user(horus, publisher, ns):
    """`--all` reaches beyond the current namespace; without it, only that one is cleaned."""
    other = f"{ns}-other"
    left_by = publisher("a", where=other)
    with namespace.locked(other):  # else any other command on this machine may clean first
        kill(left_by)
        assert horus("clean").wait() == 0
        assert namespace.regions(other)
    assert horus("clean", "--all").wait() == 0
    assert not namespace.regions(other)


# spec: A46
def test_nothing_is_left_after_several_ended(horus, script, ns):
    """`horus run` of several leaves no region and no directory, however they ended."""
    for name, ending in (("a", "pass"), ("b", "os.kill(os.getpid(), signal.SIGKILL)")):
        script(
            f"{name}.py",
            f"""
            import os, signal
            import horus
            horus.Topic("{name}", dict).send({{"x": 1}})
            {ending}
            """,
        )
    assert horus("run", "a.py", "b.py").wait() == 137
    assert not namespace.regions(ns)
    isolated = horus("run", "--isolated", "a.py", "b.py")
    assert isolated.wait() == 137
    assert not [name for name in namespace.mine() if name.startswith("run-") and name in isolated.stderr]


# spec: A47
def test_a_namespace_that_somebody_keeps_locked_does_not_keep_others_from_being_cleaned(publisher, ns):
    """A process that was stopped while it held a lock costs its own namespace the cleaning, and no other."""
    stuck = f"{ns}-stuck"
    kill(publisher("t"))
    kill(publisher("t", stuck))
    with namespace.locked(stuck):
        cleaner.clean_quietly([stuck, ns])
    assert namespace.regions(stuck)
    assert not namespace.regions(ns)


def test_what_only_looks_like_a_region_stops_no_command(horus, ns):
    """A folder or a link with a region's name is none: neither listed nor cleaned, and an error in words."""
    odd = [namespace.SHM / namespace.topic_region(ns, name) for name in ("folder", "link")]
    odd[0].mkdir()
    odd[1].symlink_to("/etc/passwd")
    try:
        listed = horus("topic", "list", "--json")
        assert listed.wait() == 0, listed.stderr
        assert json.loads(listed.stdout)["topics"] == []
        assert cleaner.clean([ns], dry_run=True) == []
        for name in ("folder", "link"):
            with pytest.raises(RegionError, match="to be a plain file"):
                Topic(name, dict).send({})
    finally:
        odd[0].rmdir()
        odd[1].unlink()
