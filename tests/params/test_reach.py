"""Parameters of processes without a scheduler: seen and set from outside, as long as these live, and no longer."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

import horus
from horus_core.control import room
from horus_core.params import reach
from horus_core.shm import cleaner
from horus_core.shm import namespace as namespaces
from horus_plugins.monitor import answerers, params

SCRIPT = """
import os, sys
import horus

def no_three(value):
    if value == 3:
        raise ValueError("it shakes")

speed = horus.RuntimeParams().declare("speed", default=1.0, validator=no_three,
                                      on_change=lambda value: os.write(1, f"{os.getpid()} {value}\\n".encode()))
read, write = os.pipe()
child = os.fork()  # at once: before the parent is reached
if child == 0:
    os.close(write)
    os.read(read, 1)  # until the parent has ended
    os._exit(0)
print(child, flush=True)
assert sys.stdin.readline() == "run\\n"
horus.run(horus.Node("arm", tick=lambda: None), name="robot", duration=0)
print("over", flush=True)
sys.stdin.readline()
"""

FAR = """
import horus

def tick(node):
    speed = horus.RuntimeParams().get("speed", default=1.0)
    if speed == 2.0:
        node.request_stop()

if __name__ == "__main__":
    horus.run(horus.Node("far", tick=tick, rate=100, compute="process"), name="robot")
"""


def known(namespace):
    """{who answers: the speed there}."""
    found = params.listed(namespace)
    assert not found.silent
    return {one.pid: one.value for one in found.params if one.name == "speed"}


def finish_opening():
    """Wait for the thread that opens, if there is one."""
    for thread in threading.enumerate():
        if thread.name == "horus params":
            thread.join()


def gone(pid):
    """Whether it has ended with all of its threads: the last one to end lets its locks go."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state in "ZX" and len([*Path(f"/proc/{pid}/task").iterdir()]) <= 1
    except OSError:
        return True


# spec: C18 C19 F21 F22
def test_a_process_without_a_scheduler_is_reached_until_it_ends(horus_namespace, program, until):
    """A script and the child that it forks take and refuse values; a killed one is not shown, and leaves nothing."""
    script = program(SCRIPT)
    pid, child = script.process.pid, int(script.line())
    until(lambda: known(horus_namespace) == {pid: 1.0, child: 1.0})
    names = {one.name: one.pid for one in answerers.answerers(horus_namespace)[0]}
    assert names == {f"program0.{pid}": pid, f"program0.{child}": child}
    done = params.change(horus_namespace, "SetParam", "speed", text="2")
    assert sorted(one.pid for one in done.taken) == sorted([pid, child])
    assert sorted(script.line() for _ in range(2)) == sorted([f"{pid} 2.0", f"{child} 2.0"])
    refused = params.change(horus_namespace, "SetParam", "speed", f"program0.{pid}", text="3").refused
    assert [(one.pid, "it shakes" in one.why) for one in refused] == [(pid, True)]
    assert len(params.change(horus_namespace, "DeleteParam", "speed", "program0").taken) == 2, "by the script"
    with pytest.raises(
        horus.NodeError, match=f"expected one of program0, .*program0.{pid}.*, got 'program1'"
    ):
        params.processes(horus_namespace, "program1")

    os.kill(child, signal.SIGKILL)
    until(lambda: gone(child))
    assert set(known(horus_namespace)) == {pid}
    folder = namespaces.path(horus_namespace)
    cleaner.clean([horus_namespace])
    assert [path.name for path in (folder / reach.FOLDER).iterdir()] == [f"program0.{pid}.json"]

    script.tell("run")
    script.wait_for("over")
    assert set(known(horus_namespace)) == {pid}, "a run and its end change nothing"
    script.finish()
    left = [*(folder / reach.FOLDER).iterdir(), *(folder / room.FOLDER).iterdir()]
    assert left == []
    with pytest.raises(
        horus.NodeError, match="runs nodes or uses RuntimeParams, got none.*HORUS_BACKEND=local"
    ):
        params.processes(horus_namespace)


def test_a_scheduler_answers_for_its_process_and_after_it_the_process(horus_namespace, fresh, until):
    """Nothing is opened beside a scheduler; when its run is over, the process answers by itself."""
    scheduler = horus.Scheduler(name="robot")
    scheduler.add(horus.Node("arm", tick=lambda: None, rate=50))
    scheduler.start()
    until(lambda: params._running(horus_namespace, None)[0])
    fresh().declare("speed", default=1.0)
    finish_opening()
    (running,) = params._running(horus_namespace, None)[0]
    assert (running.scheduler, running.by_itself) == ("robot", False)
    assert answerers.answerers(horus_namespace)[0] == []
    scheduler.stop()
    scheduler.join()
    (running,) = until(lambda: params._running(horus_namespace, None)[0])
    assert running.by_itself
    assert known(horus_namespace) == {os.getpid(): 1.0}


# spec: F21
def test_the_process_of_a_node_is_reached_by_its_name(horus_namespace, program, until):
    """A node with compute="process" reads what is set: its process answers, and is shown as that of the node."""
    script = program(FAR)
    (one,) = until(lambda: [one for one in params.listed(horus_namespace).params if one.name == "speed"])
    assert one.scheduler == f"far.{one.pid}"
    assert one.pid != script.process.pid
    done = params.change(horus_namespace, "SetParam", "speed", "far", text="2")
    assert [param.pid for param in done.taken] == [one.pid]
    script.finish()


def test_what_stays_in_its_process_is_not_seen(horus_namespace, fresh, monkeypatch, caplog):
    """With HORUS_BACKEND=local nothing is opened; where nothing can be, it is said once, and nothing else fails."""
    monkeypatch.setenv("HORUS_BACKEND", "local")
    fresh()
    finish_opening()
    assert not namespaces.path(horus_namespace).exists()
    monkeypatch.delenv("HORUS_BACKEND")
    reach.close()
    namespaces.path(horus_namespace).touch()
    for _ in range(2):
        fresh()
        finish_opening()
    assert [one.message.partition(":")[0] for one in caplog.records] == [
        "Nobody can see or set the parameters of this process"
    ]
    namespaces.path(horus_namespace).unlink()


def test_records_of_others_are_not_believed(horus_namespace, fresh, until):
    """Garbage, another version's and dead processes' files are told or passed over; who answers is still found."""
    fresh().declare("speed", default=1.0)
    until(lambda: known(horus_namespace))
    (own,) = answerers.answerers(horus_namespace)[0]
    folder = answerers.folder(horus_namespace)
    record = json.loads((folder / f"{own.name}.json").read_text())
    (folder / "garbage.1.json").write_bytes(b"\x00\xff")
    (folder / "torn.1.json").write_text('{"name": "torn')
    (folder / "older.1.json").write_text('{"pid": 1}')
    (folder / "zz-newer.1.json").write_text(json.dumps({**record, "name": "\x1b[31m", "colour": [1]}))
    (folder / "dead.1.json").write_text(json.dumps({**record, "ident": record["ident"] + 5}))
    found, unreadable = answerers.answerers(horus_namespace)
    assert [one.name for one in found] == sorted(["zz-newer.1", own.name])
    assert sorted(unreadable) == ["garbage.1.json", "older.1.json", "torn.1.json"]
    assert known(horus_namespace) == {os.getpid(): 1.0}
    reach.close()
    assert not (folder / f"{own.name}.json").exists()
