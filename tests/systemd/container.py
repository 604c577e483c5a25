"""A Debian with systemd as process 1, in a container of systemd-nspawn: what no test on the machine itself may do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

PACKAGES = "systemd,systemd-sysv,dbus,procps,python3,python3-venv"
RELEASE = "bookworm"
VENV = "/opt/robot/venv"
LIMIT_S = 60.0


class Container:
    """A booted system; commands run inside it as root."""

    def __init__(self, init: int) -> None:
        self._enter = ["nsenter", "-t", str(init), "-m", "-u", "-i", "-n", "-p", "-C"]

    def run(self, *command, check=True):
        """What the command printed."""
        done = subprocess.run(
            [*self._enter, *command], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def show(self, unit, key):
        """A property of a unit."""
        return self.run("systemctl", "show", unit, f"--property={key}", "--value").strip()

    def waits_for(self, what, condition):
        """Wait until the condition holds, and return what it returned."""
        deadline = time.monotonic() + LIMIT_S
        while not (found := condition()):
            assert time.monotonic() < deadline, (
                f"not within {LIMIT_S:g} s: {what}\n{self.run('journalctl', '-n', '60')}"
            )
            time.sleep(0.1)
        return found


def make_root(root: Path, wheel: Path) -> None:
    """A root file system with systemd and HORUS in a virtual environment; what is there stays."""
    if not (root / "etc/debian_version").exists():
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        _call("debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(root))
        _call(
            "chroot",
            str(root),
            "useradd",
            "--system",
            "--create-home",
            "--home-dir",
            "/var/lib/robot",
            "robot",
        )
    shutil.rmtree(f"{root}{VENV}", ignore_errors=True)
    for left in [
        *root.glob("etc/systemd/system/**/horus-*"),
        *root.glob("var/lib/robot/*"),
    ]:  # of a run that failed
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink(missing_ok=True)
    _call("chroot", str(root), "python3", "-m", "venv", VENV)
    # The machine's own network and settings: the container has none.
    site = next(Path(f"{root}{VENV}/lib").glob("python3.*")) / "site-packages"
    version = site.parent.name.removeprefix("python")
    _call(
        sys.executable, "-m", "pip", "install", "-q", "--target", str(site), "--python-version", version,
        "--only-binary", ":all:", str(wheel),
    )  # fmt: skip
    script = Path(f"{root}{VENV}/bin/horus")
    script.write_text(f"#!{VENV}/bin/python\nfrom horus_cli.main import main\n\nmain()\n")
    script.chmod(0o755)


def _call(*command) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise AssertionError(
            f"{' '.join(command)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )


@contextmanager
def booted(root: Path):
    """Boot it, and power it off at the end."""
    line = [
        "systemd-nspawn",
        "-q",
        "-D",
        str(root),
        "--boot",
        "--register=no",
        "--keep-unit",
        "--private-network",
    ]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        init = 0
        try:
            init = _init_of(process)
            container = Container(init)
            state = ("systemctl", "is-system-running")
            container.waits_for(
                "boot", lambda: container.run(*state, check=False).strip() in {"running", "degraded"}
            )
            yield container
            container.run("systemctl", "poweroff", check=False)
            process.wait(LIMIT_S)
        finally:
            if process.poll() is None:
                # All of the container dies with its process 1, and systemd-nspawn ends then.
                os.kill(init or process.pid, signal.SIGKILL)
                process.wait(LIMIT_S)


def _init_of(process) -> int:
    """The pid of the container's systemd, as the machine sees it."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "systemd-nspawn ended: it needs root, and systemd-container"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            name = Path(f"/proc/{child}/comm").read_text().strip()
            if name.startswith("systemd") and name != "systemd-nspawn":
                return int(child)
        time.sleep(0.05)
    raise AssertionError("no systemd came up in the container")
