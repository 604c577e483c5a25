"""Topics between processes: found by name alone, in any order, through crashes and restarts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import horus
from horus_core.shm import namespace

PUBLISHER = """
import horus, sys
topic = horus.Topic("t")
topic.send({"n": 0})
print("sent", flush=True)
for line in sys.stdin:
    topic.send({"n": int(line)})
    print("sent", flush=True)
"""

SUBSCRIBER = """
import horus
topic = horus.Topic("t")
print("ready", flush=True)
while topic.wait(20):
    print(topic.recv()["n"], flush=True)
"""


# spec: A1, A5, A6, A8, A9, A19, A67, A70
def test_the_same_name_is_the_same_region(program, horus_namespace):
    """No broker, no registration: one region under the namespace and the name, and messages pass."""
    subscriber = program(SUBSCRIBER)
    subscriber.wait_for("ready")
    publisher = program(PUBLISHER)
    publisher.wait_for("sent")
    assert subscriber.line() == "0"
    assert Path(f"/dev/shm/horus_{horus_namespace}.topic.t").exists()


# spec: A10, A45, A46
def test_restarts_in_any_order(program):
    """A killed and restarted publisher reaches the same subscriber; a restarted subscriber hears the publisher."""
    subscriber = program(SUBSCRIBER)
    subscriber.wait_for("ready")
    for _ in range(2):
        publisher = program(PUBLISHER)
        assert subscriber.line() == "0"
        publisher.tell("7")
        assert subscriber.line() == "7"
        publisher.kill()
    publisher = program(PUBLISHER)
    assert subscriber.line() == "0"
    subscriber.kill()
    again = program(SUBSCRIBER)
    again.wait_for("ready")
    publisher.tell("8")
    assert again.line() == "8"


# spec: A44, A47, F3, A64
def test_regions_outlive_a_killed_process_until_the_next_cleaning(program, horus_namespace):
    """SIGKILL leaves the region; the cleaner removes it because nobody living uses it, and says so."""
    from horus_core.shm import cleaner

    publisher = program(PUBLISHER)
    publisher.wait_for("sent")
    name = f"horus_{horus_namespace}.topic.t"
    assert cleaner.clean([horus_namespace]) == []
    publisher.kill()
    assert Path("/dev/shm", name).exists()
    assert name in cleaner.clean([horus_namespace], dry_run=True)
    assert Path("/dev/shm", name).exists()
    assert name in cleaner.clean([horus_namespace])
    assert not list(Path("/dev/shm").glob(f"horus_{horus_namespace}*"))


# spec: A22, F7, A63
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("horus.CmdVel", horus.Twist),
        ("horus.CmdVel", dict),
        ("dict", horus.CmdVel),
        ("horus.Image", horus.CmdVel),
        ("horus.CmdVel", horus.Image),
        ("horus.Image", horus.DepthImage),
        ("dict", horus.Image),
    ],
    ids=str,
)
def test_whoever_comes_second_gets_the_type_error(program, theirs, ours):
    """All combinations: the error is raised at connection and names both types and the creator's pid."""
    first = program(
        f"import horus\nt = horus.Topic('t', {theirs}, _node='first')\nprint('up', flush=True)\ninput()"
    )
    first.wait_for("up")
    with pytest.raises(horus.TopicTypeError, match="Type mismatch on topic") as caught:
        horus.Topic("t", ours)
    text = str(caught.value)
    assert theirs.removeprefix("horus.") in text
    assert ours.__name__ in text
    assert f"node 'first', pid {first.process.pid}" in text


# spec: F25, A38
def test_a_process_without_the_class_reads_by_the_regions_layout(program):
    """A type that only the publisher's script defines is received whole by everybody."""
    publisher = program(
        "import horus\n"
        "class Part(horus.Message):\n    x: horus.f32 = 0.0\n"
        "class Whole(horus.Message):\n    name: str = horus.text(16)\n    part: Part = horus.field(default=Part())\n"
        "t = horus.Topic('t', Whole, latched=True)\nt.send(Whole(name='grip', part=Part(x=2.5)))\n"
        "print('up', flush=True)\ninput()"
    )
    publisher.wait_for("up")
    got = horus.Topic("t").recv()
    assert (type(got).__name__, got.name, got.part.x) == ("Whole", "grip", 2.5)


# spec: A19, A28, A33, F1
def test_another_namespace_is_another_topic(program, monkeypatch, other_namespace):
    """The same name in two namespaces is two topics."""
    publisher = program(PUBLISHER, HORUS_NAMESPACE=other_namespace)
    publisher.wait_for("sent")
    assert horus.Topic("t").latest() is None
    monkeypatch.setenv("HORUS_NAMESPACE", other_namespace)
    assert horus.Topic("t").latest() == {"n": 0}


# spec: A21, A23, A25, A69
@pytest.mark.parametrize("kind", ["typed", "image", "spilled dict", "spilled typed"])
def test_payloads_of_every_kind_cross(program, kind):
    """Typed messages, images and messages larger than a slot arrive in another process as they were sent."""
    sends = {
        "typed": "horus.CmdVel(linear=1.0, angular=0.5)",
        "image": "horus.Image.from_numpy(np.arange(480*640*3, dtype='u4').astype('u1').reshape(480, 640, 3))",
        "spilled dict": "{'data': b'x' * 1_000_000}",
        "spilled typed": "horus.LaserScan(ranges=np.arange(4096, dtype='f4'))",
    }
    topic = horus.Topic("t")
    publisher = program(
        f"import horus, numpy as np\nt = horus.Topic('t')\nt.send({sends[kind]})\nprint('sent', flush=True)\ninput()"
    )
    publisher.wait_for("sent")
    assert topic.wait(20)
    got = topic.recv()
    if kind == "typed":
        assert got == horus.CmdVel(linear=1.0, angular=0.5)
    elif kind == "image":
        assert got.to_numpy().shape == (480, 640, 3)
        assert got.to_numpy()[0, 1].tolist() == [3, 4, 5]
    elif kind == "spilled dict":
        assert got == {"data": b"x" * 1_000_000}
    else:
        assert got.ranges.tolist() == list(range(4096))


@pytest.mark.parametrize(
    ("file", "shown"),
    [("名" * 50, "_" * 50), ("bad\udcff", "bad_"), ("n" * 200, "n" * 128), ("cämera 2", "c_mera_2")],
    ids=["no ASCII", "no UTF-8", "long", "spaces"],
)
def test_a_script_of_any_name_is_shown_as_a_node(file, shown, tmp_path):
    """What stands for the node is a valid node name, whatever the script's file is called."""
    source = b"import horus\nt = horus.Topic('t', dict)\nt.send({})\nprint(*t.publishers)"
    script = tmp_path / f"{file}.py"
    script.write_bytes(source)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == shown, done.stderr


def test_a_publisher_with_a_broken_name_is_shown():
    """A row that another program wrote may hold any bytes; those that are no text are replaced."""
    topic = horus.Topic("t", dict, _node="name-to-break")
    topic.send({})
    path = namespace.SHM / namespace.topic_region(namespace.current(), "t")
    with path.open("r+b") as region:
        at = region.read().index(b"name-to-break\0")
        region.seek(at)
        region.write(b"\xff")
    assert topic.publishers == ["\ufffdame-to-break"]
    assert topic.recv_info()[1].publisher == "\ufffdame-to-break"
