"""`horus package list/info/check`: what is installed, what it declares, and whether it does that."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from horus_core.shm import namespace

LOOKER = """
import horus

def looker():
    def tick(node):
        if not node.is_stale("scan", 1.0):
            node.latest("scan")
        node.send("battery", {"volts": 12.0})
        node.latest("battery")
    return horus.Node("looker", tick=tick, pubs={"battery": dict}, subs={"scan": horus.LaserScan}, rate=20)
"""
LIAR = """
import horus

def liar():
    def tick(node):
        node.send("cmd_vel", horus.CmdVel())
        node.send("secret", {"a": 1})
        node.recv("scan")
        node.recv("imu")
    subs = {"scan": horus.LaserScan, "image": horus.Image}
    return horus.Node("liar", tick=tick, pubs=["cmd_vel", "never"], subs=subs)

def crash():
    return horus.Node("crash", tick=lambda: 1 / 0)

def woken():
    def tick(node):
        node.send("out", {"n": node.recv("scan").range_max})
    return horus.Node("woken", tick=tick, pubs={"out": dict}, subs={"scan": horus.LaserScan}, on="scan")

def far():
    return horus.Node("far", tick=send, pubs=[horus.CmdVel], compute="process", rate=50)

def send(node):
    node.send("cmd_vel", horus.CmdVel())
"""
BROKEN = """
import os, sys, time
import horus

print("a package may print what it likes", flush=True)

def hangs(): time.sleep(600)
def exits(): sys.exit(0)
def vanishes(): os._exit(0)
def dies(): os.kill(os.getpid(), 9)
def nothing(): return None
def noisy():
    os.write(2, b"\\x1b[2J the sensor is missing\\n")
    os._exit(3)
def bad(*, speed: float = "fast"): ...
def threads():
    import threading
    threading.Thread(target=time.sleep, args=[600]).start()
    return horus.Node("threads", tick=lambda: None)
def needs(*, port: str = horus.param(default="", doc="Which \\x1b[2Jport."), speed: float):
    return horus.Node("needs", tick=lambda: None)
"""


def left_behind():
    """Namespaces that are still there of commands that have ended; others' tests may run beside these."""
    found = [path.name for path in namespace.SHM.glob("horus_package-*")]
    return [name for name in found if not Path("/proc", name.split("-")[1]).exists()]


# spec: F33
def test_list_imports_nothing(drive):
    """Distribution, version and nodes, from metadata alone."""
    drive.package("aaa-broken", "raise SystemExit(1)", "x")
    done = drive.horus("package", "list")
    assert done.code == 0
    assert done.out.splitlines() == [
        "PACKAGE      VERSION  NODES",
        "aaa-broken   1.2      x",
        "horus-drive  1.2      drive, pair",
    ]
    told = json.loads(drive.horus("package", "list", "--json").out)
    assert told["packages"][1] == {
        "distribution": "horus-drive",
        "version": "1.2",
        "nodes": [
            {"name": "drive", "value": "horus_drive:drive"},
            {"name": "pair", "value": "horus_drive:pair"},
        ],
    }
    assert drive.imports == []


def test_a_list_without_plugins(drive):
    """What may not be used is not listed, and why is told."""
    done = drive.horus("--no-plugins", "package", "list")
    assert (done.code, done.out) == (0, "")
    assert "All packaged nodes are disabled: `horus plugin list` tells by what." in done.err


def test_an_empty_list_says_where_packages_come_from(site):
    """On stderr; nothing is no failure."""
    done = site.horus("package", "list")
    assert (done.code, done.out) == (0, "")
    assert "group horus.nodes" in done.err


# spec: F33
def test_info_shows_nodes_topics_and_parameters(drive):
    """With types, rates, defaults, units and documentation; in a process of its own."""
    done = drive.horus("package", "info", "horus-drive")
    assert done.code == 0, done
    assert done.out.splitlines() == [
        "horus-drive 1.2",
        "",
        "horus-drive:drive  (horus_drive:drive)",
        "  Drives on.",
        "  PARAMETER  TYPE   DEFAULT",
        "  max_speed  float  1.0 m/s  How fast.",
        "  steps      int    3",
        "  node driver, 20 Hz",
        "    publishes   cmd_vel  CmdVel",
        "    publishes   front/log  (no type declared)",
        "    subscribes  scan  LaserScan",
        "",
        "horus-drive:pair  (horus_drive:pair)",
        "  PARAMETER  TYPE   DEFAULT",
        "  max_speed  float  2.0",
        "  node left, 30 Hz",
        "  node right, 30 Hz",
    ]
    told = json.loads(drive.horus("package", "info", "pair", "--json").out)
    assert [node["name"] for one in told["nodes"] for node in one["nodes"]] == ["left", "right"]
    assert told["nodes"][0]["parameters"] == [
        {"name": "max_speed", "type": "float", "default": 2.0, "required": False, "unit": "", "doc": ""}
    ]
    assert left_behind() == []


def test_a_check_of_a_package_that_does_what_it_declares(drive):
    """`--check` of info is the same for a second; what did not happen in that time is a note."""
    done = drive.horus("package", "check", "drive", "--seconds", "0.2")
    assert done.code == 0, done
    assert "  ran for 0.2 s: as declared" in done.out
    assert "note: driver did not publish 'front/log' in this time" in done.out
    assert drive.horus("package", "info", "horus-drive:drive", "--check").code == 0
    assert left_behind() == []


def test_looking_at_a_topic_is_reading_it(site):
    """latest() and is_stale() make no subscriber of a node, and are found by a check all the same."""
    site.package("horus-looker", LOOKER, "looker")
    done = site.horus("package", "check", "looker", "--seconds", "0.2", "--json")
    (found,) = [one["check"] for one in json.loads(done.out)["nodes"]]
    assert found["notes"] == []
    assert found["problems"] == ["looker subscribes 'battery' (dict), which its subs= do not name"]
    assert found["used"]["looker"]["subscribes"] == [
        {"topic": "battery", "type": "dict"},
        {"topic": "scan", "type": "LaserScan"},
    ]


def test_a_check_finds_what_is_not_declared(site):
    """Topics that the node uses and does not name; what it declares without a type; nodes in other processes."""
    site.package("horus-liar", LIAR, "liar", "crash", "woken", "far")
    done = site.horus("package", "check", "horus-liar", "--seconds", "0.3", "--json")
    assert done.code == 1, done
    checks = {one["name"]: one["check"] for one in json.loads(done.out)["nodes"]}
    assert checks["liar"]["problems"] == ["liar publishes 'secret' (dict), which its pubs= do not name"]
    assert "liar declares 'cmd_vel' without a type; it carried CmdVel" in checks["liar"]["notes"]
    assert "liar did not publish 'never' in this time" in checks["liar"]["notes"]
    assert checks["liar"]["used"]["liar"]["subscribes"] == [{"topic": "scan", "type": "LaserScan"}]
    assert checks["crash"]["problems"] == ["running it raised ZeroDivisionError: division by zero"]
    assert (checks["woken"]["problems"], checks["woken"]["notes"]) == ([], [])
    assert checks["far"]["problems"] == []
    assert checks["far"]["used"]["far"]["publishes"] == [{"topic": "cmd_vel", "type": "CmdVel"}]
    assert left_behind() == []


BREAKS = {
    "exits": "it raised SystemExit: 0",
    "vanishes": "its process ended with exit code 0. It said last: a package may print what it likes",
    "dies": "its process ended with signal 9",
    "nothing": "expected a Node or a list of Nodes, got None",
    "noisy": "ended with exit code 3. It said last: \\x1b[2J the sensor is missing",
    "bad": "expected a default of 'speed' that is float, got 'fast'",
    "absent": "AttributeError",
}


def test_a_broken_node_is_a_line_of_the_report(site):
    """The command goes on, exits with 1, and shows no control character of a stranger's."""
    site.package("broken", BROKEN, *BREAKS, "threads")
    done = site.horus("package", "info", "broken")
    assert done.code == 1
    told = dict(re.findall(r"^broken:(\w+) .*?\n(.*?)(?:\n\n|\Z)", done.out, re.MULTILINE | re.DOTALL))
    assert sorted(told) == sorted([*BREAKS, "threads"])
    for node, says in BREAKS.items():
        assert says in told[node]
    assert "node threads, 30 Hz" in told["threads"]
    assert "error" not in told["threads"], "a thread that goes on holds up nobody"
    assert "\x1b" not in done.out
    assert "Traceback" not in done.err


def test_a_node_that_hangs_is_given_up(site):
    """After --timeout; the others of its package are told. Nothing of it is left."""
    site.package("broken", BROKEN, "hangs", "needs")
    done = site.horus("package", "info", "broken", "--timeout", "1")
    assert done.code == 1
    assert "expected an end within 1 s, got none: it hangs" in done.out
    assert "speed      float  required" in done.out
    assert "Which \\x1b[2Jport." in done.out
    assert "\x1b" not in done.out
    assert site.horus("package", "info", "needs", "--param", "speed=1").code == 0
    assert left_behind() == []


def test_a_module_that_hangs_or_fails_at_import(site):
    """Neither takes the tool down, whichever node was asked for."""
    site.package("hanging", "import time; time.sleep(600)", "x")
    site.package("failing", "import no_such_library", "y")
    assert "it hangs" in site.horus("package", "info", "hanging", "--timeout", "0.5").out
    done = site.horus("package", "info", "failing")
    assert "ModuleNotFoundError: No module named 'no_such_library'" in done.out
    assert (done.code, site.horus("package", "list").code) == (1, 0)


def test_an_interrupt_leaves_no_process(site, tmp_path):
    """Ctrl+C ends the command and the process in which a package hangs."""
    import subprocess
    import sys

    pid_file = tmp_path / "pid"
    source = f"import os, pathlib, time\npathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))\n"
    source += "time.sleep(600)"
    site.package("hanging", source, "x")
    command = subprocess.Popen(
        [sys.executable, "-m", "horus_cli", "package", "info", "hanging", "--timeout", "60"],
        env=site.environment,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not (pid_file.exists() and pid_file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=30)
    assert command.returncode == 130
    assert b"Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_an_unknown_name(drive):
    """One sentence."""
    done = drive.horus("package", "info", "driv")
    assert done.code == 1
    assert "horus: Looking into 'driv' failed: expected an installed package" in done.err


def test_disabled_packages_are_refused_by_name(drive):
    """HORUS_PLUGINS and --no-plugins are for packaged nodes, too."""
    done = drive.horus("--no-plugins", "run", "drive")
    assert done.code == 1
    assert "it is disabled" in done.err
    assert drive.horus("run", "drive", HORUS_PLUGINS="horus-drive").code == 0
    assert drive.horus("package", "check", "drive", "--seconds", "0.1", HORUS_BACKEND="local").code == 0


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
def test_a_check_without_shared_memory_is_refused(drive):
    """It says what it needs, and advises nothing that would not help; info works there."""
    command = 'mount -t tmpfs -o ro tmpfs /dev/shm && exec "$0" -m horus_cli package "$@" drive'
    there = ["unshare", "-m", "sh", "-c", command, sys.executable]
    environment = {**drive.environment, "HORUS_BACKEND": "local"}
    check, info = (
        subprocess.run(
            [*there, what], capture_output=True, text=True, timeout=60, env=environment, cwd=drive.work
        )
        for what in ("check", "info")
    )
    if "mount:" in check.stderr:
        pytest.skip("mounting is not allowed here")
    assert (check.returncode, check.stdout) == (1, "")
    assert "Checking horus-drive failed: expected /dev/shm to be writable" in check.stderr
    assert "Read-only file system" in check.stderr
    assert "HORUS_BACKEND=local" not in check.stderr
    assert info.returncode == 0, info.stderr
