"""Children of a session killed at random, again and again: for the suite a few, `make soak-launch` 500.

python tests/launch/storm.py [KILLS]
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

NODES, TALKERS = 20, 4
TALKER = """
import os, horus
horus.run(horus.Node("{0}", tick=lambda node: node.send("from.{0}", {{"pid": os.getpid()}}), rate=50))
"""
_RESTART = "restart: {policy: always, max: 100000, backoff: 0.01, max_backoff: 0.01}"


def file_of(folder, *, nodes=NODES, talkers=TALKERS):
    """The nodes of a session: plain processes, and some that publish."""
    lines = ["nodes:"]
    for number in range(nodes):
        talks = number < talkers
        command = f"talker{number}.py" if talks else "sleep 1000"
        if talks:
            (folder / f"talker{number}.py").write_text(TALKER.format(f"n{number}"))
        lines += [f"  - name: n{number}", f"    command: {command}", f"    {_RESTART}"]
    return "\n".join(lines)


def strike(robot, kills, *, talkers, until, seed=0):
    """Kill children of the ready session at random, and hold its books against what is found."""
    from horus_core.topics.topic import Topic

    chosen = random.Random(seed)
    heard = {name: Topic(f"from.{name}") for name in (f"n{number}" for number in range(talkers))}
    expected = dict.fromkeys((node.name for node in robot.manifest().nodes), 0)
    for _ in range(kills):
        name = chosen.choice(list(expected))
        before = robot.node(name).pid
        os.kill(before, signal.SIGKILL)
        expected[name] += 1
        row = until(lambda: (row := robot.node(name)).pid not in (0, before) and row, f"{name} again")  # noqa: B023
        assert row.restarts == expected[name], name
        assert row.last_exit.pid == before
        assert row.last_exit.signal == "SIGKILL"
        _check_owner(row)
        if name in heard:
            # The very handle that was open all the time: nothing is configured anew.
            until(lambda: (heard[name].recv() or {}).get("pid") == row.pid, f"{name} is heard again")  # noqa: B023
    for topic in heard.values():
        topic.close()
    _check_books(robot, expected, until)


def _check_owner(row):
    """The pid is of a process that this node's line started."""
    words = Path(f"/proc/{row.pid}/cmdline").read_bytes().split(b"\0")
    environment = Path(f"/proc/{row.pid}/environ").read_bytes().split(b"\0")
    assert f"HORUS_NODE_NAME={row.name}".encode() in environment, (row.name, words)


def _check_books(robot, expected, until):
    rows = {node.name: node for node in robot.manifest().nodes}
    assert {name: row.restarts for name, row in rows.items()} == expected
    restarted = robot.events("NodeRestarted")
    for name, count in expected.items():
        own = [event["pid"] for event in restarted if event["node"] == name]
        assert len(own) == count
        assert not own or own[-1] == rows[name].pid
    crashes = robot.events("NodeCrashed")
    assert len(crashes) == sum(expected.values())
    # Its children are those of the manifest and the guard: no zombie, no orphan.
    until(lambda: len(children(robot.pid)) == len(rows) + 1, "nothing else is left")
    found = children(robot.pid)
    assert {row.pid for row in rows.values()} < found.keys()
    assert "Z" not in found.values()


def children(parent):
    """{pid: state} of a process's children."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, ppid = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if int(ppid) == parent:
                found[int(entry.name)] = state
    return found


def main(kills):
    """The long run, in a namespace of its own."""
    sys.path.insert(0, str(Path(__file__).parent))
    from launching import Launcher, alive, until, write

    from horus_core.testing.namespaces import remove_namespace

    os.environ["HORUS_NAMESPACE"] = f"storm{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), "storm", file_of(Path(folder)))
        robot = Launcher(Path(folder), "storm")
        try:
            robot.ready()
            began = time.monotonic()
            strike(robot, kills, talkers=TALKERS, until=until, seed=kills)
            took_s = time.monotonic() - began
            pids = [node.pid for node in robot.manifest().nodes]
            code = robot.stop()
        finally:
            robot.close()
            remove_namespace(os.environ["HORUS_NAMESPACE"])
        assert code == 0, code
        assert not any(map(alive, pids))
        sys.stdout.write(
            f"{kills} kills in {took_s:.0f} s, {1000 * took_s / kills:.0f} ms each: every restart recorded, nobody "
            f"left, every talker heard again\n"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
