"""`horus topic list`: every topic of the namespace, and only who really is there."""

import json
import os
import signal
import subprocess

import pytest

from horus_core.shm import namespace

PUBLISH = """
    import time
    import horus
    topic = horus.Topic("motor.temp", dict, _node="motor")
    for number in range(5):
        topic.send({"celsius": number})
    print("sent", flush=True)
    while True:
        time.sleep(0.05)
    """
SUBSCRIBE = """
    import time
    import horus
    topic = horus.Topic("motor.temp", _node="monitor")
    assert topic.recv() is None
    print("waiting", flush=True)
    topic.wait()
    topic.recv()
    print("received", flush=True)
    while True:
        time.sleep(0.05)
    """


def listed(horus, *options):
    command = horus("topic", "list", *options)
    assert command.wait() == 0, command.stderr
    return command


# spec: A48 A49 A71
def test_it_shows_topics_with_living_ends_and_their_pids(horus, script):
    """Name, type, capacity, counts; with --verbose nodes, pids and counters; with --json all of it."""
    script("subscriber.py", SUBSCRIBE)
    subscriber = horus("run", "subscriber.py")
    subscriber.shows("waiting")
    script("publisher.py", PUBLISH)
    publisher = horus("run", "publisher.py")
    subscriber.shows("received")
    publisher.shows("sent")

    lines = listed(horus).stdout.splitlines()
    assert lines[0].split() == ["TOPIC", "TYPE", "STATE", "RATE", "PUBLISHERS", "SUBSCRIBERS"]
    name, kind, state, *_, publishers, subscribers = lines[1].split()
    assert (name, kind, publishers, subscribers) == ("motor.temp", "dict", "1", "1")
    assert state in {"active", "idle"}

    verbose = listed(horus, "--verbose").stdout
    assert "keeps 256" in verbose
    assert f"publisher   motor  pid {publisher.pid}  sent 5" in verbose
    assert f"subscriber  monitor  pid {subscriber.pid}  received 1" in verbose

    (topic,) = json.loads(listed(horus, "--json").stdout)["topics"]
    assert topic["name"] == "motor.temp"
    (shown,) = topic["publishers"]
    assert (shown["node"], shown["pid"], shown["sent"]) == ("motor", publisher.pid, 5)
    assert topic["subscribers"][0]["pid"] == subscriber.pid
    assert topic["subscribers"][0]["lag"] == 4
    assert topic["age_s"] >= 0


def test_the_dead_are_not_listed(horus, script):
    """A killed publisher's row goes at once; the topic stays while a subscriber uses it."""
    script("subscriber.py", SUBSCRIBE)
    subscriber = horus("run", "subscriber.py")
    subscriber.shows("waiting")
    script("publisher.py", PUBLISH)
    publisher = horus("run", "publisher.py")
    subscriber.shows("received")
    publisher.signal(signal.SIGKILL)
    publisher.wait()
    (topic,) = json.loads(listed(horus, "--json").stdout)["topics"]
    assert topic["publishers"] == []
    assert len(topic["subscribers"]) == 1
    assert topic["state"] == "waiting", "without a living publisher no topic is active"


# spec: A62 F1
def test_nothing_to_show_names_where_there_is_something(horus, script, ns):
    """The usual mistake: topics in another namespace. The line to type is given."""
    script("publisher.py", PUBLISH)
    publisher = horus("run", "publisher.py", env={**os.environ, "HORUS_NAMESPACE": f"{ns}-other"})
    publisher.shows("sent")
    command = listed(horus)
    assert command.stdout == ""
    assert f"No topics in namespace '{ns}'." in command.stderr
    assert f"horus topic list --namespace {ns}-other" in command.stderr
    assert not namespace.path(ns).exists(), "looking creates nothing"


# spec: F22
def test_nothing_as_json_is_an_empty_list(horus, ns):
    """What stdout gets is JSON also when there is nothing."""
    assert json.loads(listed(horus, "--json").stdout) == {"namespace": ns, "topics": []}


def test_a_corrupt_region_is_shown_as_such(horus, script, ns):
    """Neither hidden nor a crash: the others are listed, that one is called unreadable."""
    script("publisher.py", PUBLISH)
    publisher = horus("run", "publisher.py")
    publisher.shows("sent")
    broken = namespace.SHM / namespace.topic_region(ns, "broken")
    broken.write_bytes(os.urandom(8192))
    lines = listed(horus).stdout.splitlines()
    assert lines[1].split()[:2] == ["broken", "unreadable"]
    assert "starts with other bytes" in lines[1]
    assert lines[2].split()[0] == "motor.temp"


def test_it_does_not_disturb_who_lives_there(horus, script):
    """A listing leaves no trace: no index held, no row, no lock."""
    script("publisher.py", PUBLISH)
    publisher = horus("run", "publisher.py")
    publisher.shows("sent")
    shown = [json.loads(listed(horus, "--json").stdout)["topics"][0] for _ in range(3)]
    assert [topic["subscribers"] for topic in shown] == [[], [], []]
    assert len({topic["publishers"][0]["sent"] for topic in shown}) == 1
    assert subprocess.run(["kill", "-0", str(publisher.pid)], check=False).returncode == 0


# spec: F22
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_a_namespace_of_another_user_is_no_empty_one(horus, ns):
    """Saying that it has no topics would be untrue: nothing of it can be read."""
    where = namespace.directory(ns)
    os.chown(where, 65534, 65534)
    command = horus("topic", "list")
    assert command.wait() == 1
    assert f"expected {where} to belong to" in command.stderr
