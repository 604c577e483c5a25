"""Two versions of the tools in one namespace: what another has written is told, and hides nothing that runs."""

import json
import threading

import click
import pytest
from click.testing import CliRunner
from horus_cli.group import horus as command

import horus
from horus_core.errors import HorusError
from horus_core.params import reach
from horus_core.shm import namespace as namespaces

GARBAGE = b"\xff\x00\x1b[31m{"


def other_layout(region):
    """The bytes of a region or record as another version would begin them."""
    return region[:8] + (99).to_bytes(4, "little") + region[12:]


def put(folder, **files):
    """Files with these contents; what has a "." in its name is written with "__"."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(
            content if isinstance(content, bytes) else json.dumps(content).encode()
        )


def run(*arguments):
    """(exit code, stdout, stderr) of `horus`, in this process."""
    done = CliRunner().invoke(command, list(arguments), standalone_mode=False)
    if isinstance(done.exception, (HorusError, click.exceptions.Exit)):
        return getattr(done.exception, "exit_code", 1), done.stdout, done.stderr + str(done.exception)
    assert done.exception is None, done.exception
    return done.return_value or 0, done.stdout, done.stderr


@pytest.fixture
def robot(horus_namespace, until):
    """A scheduler with a node that publishes and has a parameter, and what others have left beside it."""
    ticked = threading.Event()
    node = horus.Node(
        "arm", pubs={"cmd": horus.CmdVel}, rate=100,
        tick=lambda node: (node.send("cmd", horus.CmdVel()), ticked.set()),
    )  # fmt: skip
    horus.RuntimeParams().declare("version_speed", default=1.0)
    scheduler = horus.Scheduler(name="robot")
    scheduler.add(node)
    scheduler.start()
    assert ticked.wait(20)
    folder = namespaces.path(horus_namespace)
    flight, arm = (folder / "schedulers/robot.flight").read_bytes(), (folder / "nodes/arm.json").read_bytes()
    put(
        folder / "schedulers",
        newer__flight=other_layout(flight), torn__flight=flight[:500], empty__flight=b"", noise__flight=GARBAGE,
    )  # fmt: skip
    put(
        folder / "nodes",
        newer__json={**json.loads(arm), "wheels": [1]}, strange__json={**json.loads(arm), "rate": {"hz": 3}},
        older__json={"name": "older"}, noise__json=GARBAGE,
    )  # fmt: skip
    put(folder / reach.FOLDER, older__json={"pid": 1}, noise__json=GARBAGE)
    yield folder
    scheduler.stop()
    scheduler.join()


# spec: F22
def test_each_command_goes_on_and_tells_what_it_cannot_read(robot):
    """Lists have what runs, as it is; each file that is of another version, torn or garbage is a line on stderr."""
    code, out, err = run("param", "list")
    assert code == 1, "processes may be missing"
    assert [line.split()[:2] for line in out.splitlines() if line.startswith("version_speed")] == [
        ["version_speed", "1.0"]
    ]
    told = [line.partition(" cannot be read: ")[0] for line in err.splitlines()]
    assert told == [
        *(f"horus: the record of scheduler {name!r}" for name in ("empty", "newer", "noise", "torn")),
        *(f"horus: the file '{name}.json' of a process" for name in ("noise", "older")),
    ]
    assert "expected layout version 1, got 99" in err
    code, out, err = run("param", "set", "version_speed", "2")
    assert (code, out.startswith("version_speed = 2.0")) == (1, True), "who was not asked is told"
    assert len(err.splitlines()) == 6
    code, out, _ = run("param", "get", "version_speed", "--json")
    assert json.loads(out)["params"][0]["value"] == 2.0
    assert len(json.loads(out)["unreadable"]) == 6

    code, out, err = run("node", "list")
    states = {line.split()[0]: line.split()[1] for line in out.splitlines() if " 100 " in line}
    assert states == {"arm": "Running", "newer": "Unknown"}
    assert code == 1
    for what in ("scheduler 'newer'", "scheduler 'torn'", "node 'older'", "node 'strange'", "node 'noise'"):
        assert sum(what in line for line in err.splitlines()) == 1, what

    code, out, _ = run("topic", "list")
    assert (code, "active" in out) == (0, True)

    segment = '{"horus_log": 1, "pid": 1}\n'
    line = '{"time_ns":1,"number":1,"pid":1,"level":"info","node":"arm","text":"still here","colour":"red"}\n'
    put(
        robot / "logs",
        **{"1-1-1__jsonl": segment.encode() + GARBAGE + b"\n[1]\n" + line.encode() + b'{"time'},
    )
    code, out, err = run("logs")
    assert (code, "still here" in out) == (0, True), "newer fields are left out, garbage is passed over"
    assert "\x1b" not in out + err
