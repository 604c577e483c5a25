"""`horus service` under a real systemd, booted in a container: `make test-systemd`.

Needs root, debootstrap and systemd-container. The root file system stays in build/systemd for the next time.
"""

# spec: A17, A34, D7, D8, D9, D10, D11, D14

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import container as containers

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = ROOT / "build" / "systemd" / "root"
HORUS = f"{containers.VENV}/bin/horus"

SENSOR = """
    import time
    from pathlib import Path
    import horus

    def init(node):
        node.log_warning("the sensor is up")

    def tick(node):
        if Path("/var/lib/robot/hang").exists():
            Path("/var/lib/robot/hang").unlink()
            while True:
                time.sleep(1.0)
        node.send("sensor.data", {"value": 1.0})

    def shutdown(node):
        Path("/var/lib/robot/shut_down").touch()

    horus.run(horus.Node("sensor", pubs=["sensor.data"], tick=tick, init=init, shutdown=shutdown, rate=50,
                         watchdog=1.0))
"""
READER = """
    import horus

    def tick(node):
        if node.recv("sensor.data"):
            node.log_info("heard the sensor", every=1.0)

    horus.run(horus.Node("reader", subs=["sensor.data"], tick=tick, rate=20))
"""
ROBOT = """
    session: robot
    nodes:
      - name: sensor
        cmd: horus run sensor.py
      - name: reader
        cmd: horus run reader.py
        depends_on: [sensor]
        restart: on-failure
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheel = _wheel(folder)
        containers.make_root(SYSTEM, wheel)
    with containers.booted(SYSTEM) as system:
        for check in (service_of_a_file, two_services, a_launch_file, a_hung_node_is_restarted, uninstalling):
            check(system)
            print(f"ok: {check.__doc__}", flush=True)


def _wheel(folder):
    line = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, str(ROOT)]
    subprocess.run(line, check=True, timeout=600)
    return next(Path(folder).glob("*.whl"))


def _write(name, text):
    path = SYSTEM / "opt" / "robot" / name
    path.write_text(textwrap.dedent(text))
    return f"/opt/robot/{name}"


def service_of_a_file(system):
    """A file runs as its user, is ready when its nodes are, is restarted after kill -9, and stops in order."""
    unit = "horus-sensor"
    file = _write("sensor.py", SENSOR)
    system.run(
        HORUS, "service", "install", file, "--user", "robot", "--enable", "--now", "--restart-delay", "0.2"
    )
    assert system.show(unit, "ActiveState") == "active"
    assert system.run("ps", "-o", "user=", "-p", system.show(unit, "MainPID"), check=False).strip() in {
        "robot",
        "",
    }
    system.run("kill", "-KILL", system.show(unit, "MainPID"))
    system.waits_for("a restart", lambda: system.show(unit, "NRestarts") == "1")
    system.waits_for("it to be ready", lambda: system.show(unit, "ActiveState") == "active")
    shown = system.run(HORUS, "service", "status", "--json")
    assert '"active":"active"' in shown
    assert '"restarts":1' in shown
    said = system.run("journalctl", "-u", unit, "-p", "warning", "-o", "cat")
    assert "the sensor is up" in said, "priorities of log lines reach the journal"
    system.run("systemctl", "stop", unit)
    assert "shut_down" in system.run("ls", "/var/lib/robot")
    assert system.show(unit, "Result") == "success"


def two_services(system):
    """Two services of one .target share topics, and start in order."""
    files = [_write("sensor.py", SENSOR), _write("reader.py", READER)]
    system.run(HORUS, "service", "install", *files, "--name", "pair", "--user", "robot", "--enable", "--now")
    system.waits_for(
        "the reader to hear the sensor",
        lambda: "heard the sensor" in system.run("journalctl", "-u", "horus-pair-reader", "-o", "cat"),
    )
    system.run("systemctl", "stop", "horus-pair.target")
    system.waits_for("both to stop", lambda: system.show("horus-pair-reader", "ActiveState") == "inactive")


def a_launch_file(system):
    """A launch file is ready when all of its nodes are, restarts its own nodes, and stops them in order."""
    unit = "horus-robot"
    _write("sensor.py", SENSOR)
    _write("reader.py", READER)
    file = _write("robot.yaml", ROBOT)
    system.run("rm", "-f", "/var/lib/robot/shut_down")
    system.run(HORUS, "service", "install", file, "--user", "robot", "--enable", "--now", "--watchdog", "5")
    assert system.show(unit, "ActiveState") == "active"
    asked = ("runuser", "-u", "robot", "--", HORUS)
    nodes = json.loads(system.run(*asked, "node", "list", "--json", "--namespace", "robot"))["nodes"]
    assert {node["name"]: node["state"] for node in nodes} == {"sensor": "running", "reader": "running"}
    (reader,) = [node for node in nodes if node["name"] == "reader"]
    system.run("kill", "-KILL", str(reader["pid"]))
    shown = system.waits_for(
        "the launcher to restart it",
        lambda: "restarted [reader]" in system.run("journalctl", "-u", unit, "-o", "cat"),
    )
    assert shown
    assert system.show(unit, "NRestarts") == "0"
    system.run("systemctl", "stop", unit)
    assert system.show(unit, "Result") == "success"
    assert "shut_down" in system.run("ls", "/var/lib/robot")
    assert "sensor.py" not in system.run("ps", "-eo", "args")


def a_hung_node_is_restarted(system):
    """A node that hangs stops the watchdog's signs of life: systemd restarts it."""
    unit = "horus-watched"
    file = _write("watched.py", SENSOR.replace('Node("sensor"', 'Node("watched"'))
    system.run(
        HORUS, "service", "install", file, "--user", "robot", "--now", "--watchdog", "2", "--restart-delay", "0.2",
    )  # fmt: skip
    system.run("runuser", "-u", "robot", "--", "touch", "/var/lib/robot/hang")
    system.waits_for("a restart by the watchdog", lambda: system.show(unit, "NRestarts") == "1")
    said = system.run("journalctl", "-u", unit, "-o", "cat")
    assert "atchdog" in said, said
    system.run("systemctl", "stop", unit)


def uninstalling(system):
    """What was installed goes, with its links."""
    for name in ("sensor", "pair", "watched", "robot"):
        system.run(HORUS, "service", "uninstall", name)
    assert not [*(SYSTEM / "etc/systemd/system").rglob("horus-*")]


if __name__ == "__main__":
    main()
