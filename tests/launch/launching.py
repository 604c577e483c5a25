"""Real launchers for tests: `horus launch` on a file of the test's own, watched from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from horus_core.errors import HorusError
from horus_core.shm import namespace
from horus_plugins.launch import manifest

LIMIT_S = 30.0
WAITS = "sh -c 'echo up; exec sleep 1000'"
STUBBORN = """sh -c 'trap "echo no" TERM; echo up; while :; do sleep 0.05; done'"""


def until(condition, what="the condition"):
    """Wait for a condition; its value."""
    deadline = time.monotonic() + LIMIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} never came true"
        time.sleep(0.01)
    return value


def alive(pid):
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Launcher:
    """A running `horus launch`. What it prints goes to files; whatever it started is found by its namespace."""

    def __init__(self, folder, name, *arguments, stdout=None):
        self.namespace = os.environ[namespace.VARIABLE]
        self.session = name
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "horus_cli", "launch", f"{name}.yaml", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout or out,
                stderr=err,
                cwd=folder,
                start_new_session=True,
            )
        self.pid = self.process.pid

    def manifest(self):
        """What stands in its file now, or None."""
        found = manifest.read(self.namespace, self.session)
        return found if found is not None and found.pid == self.pid else None

    def node(self, name):
        """A node's row in the manifest; None before there is one."""
        found = self.manifest()
        return next((node for node in found.nodes if node.name == name), None) if found else None

    def reaches(self, name, status):
        """Wait until the manifest says so of a node; its row."""
        return until(
            lambda: (row := self.node(name)) is not None and row.status == status and row,
            f"{name} {status}: {self.node(name)} {self.err.read_text()}",
        )

    def ready(self):
        """Wait until all nodes are."""
        until(
            lambda: (now := self.manifest()) is not None and now.status == "running",
            f"the session runs: {self.err.read_text()}",
        )
        return self.manifest()

    def events(self, *wanted, node=None):
        """The events of these names, of one node or of all."""
        lines = manifest.events_path(self.namespace, self.session).read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [
            event
            for event in found
            if (not wanted or event["event"] in wanted) and (node is None or event.get("node") == node)
        ]

    def says(self, text, times=1):
        """Wait until it has said so, on stderr or through a node's stdout."""
        until(
            lambda: (self.err.read_text() + self.out.read_text(errors="replace")).count(text) >= times,
            f"{text!r}",
        )

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self):
        """Its exit code."""
        return self.process.wait(LIMIT_S)

    def stop(self):
        """Ctrl+C, and its exit code."""
        self.signal(signal.SIGINT)
        return self.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def write(folder, name, text):
    """The launch file of a session."""
    (folder / f"{name}.yaml").write_text(f"session: {name}\n{textwrap.dedent(text)}", encoding="utf-8")


def horus(*arguments, cwd=None):
    """Run a `horus` command to its end: (exit code, stdout, stderr)."""
    done = subprocess.run(
        [sys.executable, "-m", "horus_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S * 2,
        cwd=cwd,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def ask(*arguments):
    """The same in this process, of `horus launch`: less work for the machine."""
    from click.testing import CliRunner
    from horus_cli.launch import launch as command

    done = CliRunner().invoke(command, [str(argument) for argument in arguments], standalone_mode=False)
    if done.exception is not None:
        assert isinstance(done.exception, HorusError), done.exception
        return 1, done.stdout, f"{done.stderr}horus: {done.exception}\n"
    return done.return_value, done.stdout, done.stderr
