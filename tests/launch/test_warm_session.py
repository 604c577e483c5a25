"""A session with a warm process: who starts from it, and that its end is nobody's failure."""

import os
import signal
from pathlib import Path

from launching import alive, until

NODE = """
import sys, time
import horus
print("warm" if "horus_plugins.launch.warm.program" in sys.modules else "cold", flush=True)
horus.run(horus.Node(tick=lambda node: None, rate=10))
"""
NODES = 5
ROBOT = "nodes:\n" + "".join(
    f"  - {{name: n{number}, command: node.py, restart: {{policy: always, backoff: 0.01}}}}\n"
    for number in range(NODES)
)


def warm_of(robot):
    """The pid of a launcher's warm process; 0: it has none now."""
    for pid in Path(f"/proc/{robot.pid}/task/{robot.pid}/children").read_text().split():
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except FileNotFoundError:
            continue
        if name == "horus-warm":
            return int(pid)
    return 0


# spec: C1 C9 C30
def test_nodes_start_warm_and_nothing_outlives_a_killed_launcher(launch, tmp_path):
    """Starts and restarts come from one process, which is no node; the launcher's death is the death of all."""
    (tmp_path / "node.py").write_text(NODE)
    robot = launch("robot", ROBOT)
    robot.says("] warm", NODES)
    assert "] cold" not in robot.out.read_text()
    pids = [node.pid for node in robot.ready().nodes]
    warm = warm_of(robot)
    assert warm
    assert warm not in pids
    for pid in pids:
        assert os.getsid(pid) == os.getpgid(pid) == pid
        shown = Path(f"/proc/{pid}/cmdline").read_bytes()
        assert shown.endswith(b"node.py\0")
        assert b"python" in shown
    os.kill(pids[0], signal.SIGKILL)
    robot.says("] warm", NODES + 1)
    pids.append(until(lambda: (row := robot.node("n0")).pid not in (0, pids[0]) and row.pid))

    robot.signal(signal.SIGKILL)
    robot.wait()
    until(lambda: not any(map(alive, [*pids, warm])), "nothing survives")

    again = launch("robot", ROBOT)  # whose warm process dies as soon as there is one
    os.kill(until(lambda: warm_of(again)), signal.SIGKILL)
    again.says("without the warm process")
    again.ready()
    assert again.out.read_text().count("] cold") + again.out.read_text().count("] warm") == NODES
    pid = again.node("n1").pid
    os.kill(pid, signal.SIGKILL)
    again.says("restarted [n1]")
    assert again.stop() == 0
    assert again.err.read_text().count("without the warm process") == 1
    assert not again.events("NodeFailed")


def test_warm_starts_can_be_switched_off(launch, tmp_path, monkeypatch):
    """HORUS_LAUNCH_WARM=0: each is started from nothing."""
    monkeypatch.setenv("HORUS_LAUNCH_WARM", "0")
    (tmp_path / "node.py").write_text(NODE)
    robot = launch("robot", ROBOT)
    robot.says("] cold", NODES)
    assert not warm_of(robot)
    assert robot.stop() == 0
