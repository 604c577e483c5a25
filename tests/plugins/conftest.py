"""Distributions as pip leaves them, and programs and commands that see them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager

import pytest

GRIPPER = """
from horus_core.messages.fields import f64
from horus_core.messages.message import Message
from horus_core.plugins.hookspecs import hookimpl

class Gripper(Message):
    width: f64 = 2.0

@hookimpl
def horus_register_messages(register):
    register(Gripper)
"""


class Done:
    """How a program ended."""

    def __init__(self, done, took_s):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.took_s = took_s

    def __repr__(self):
        return f"exit code {self.code} after {self.took_s:.2f} s\n{self.out}\n{self.err}"


class Site:
    """A folder on sys.path with distributions in it, a working folder, and a home with no configuration yet."""

    def __init__(self, folder):
        self.folder = folder / "site"
        self.work = folder / "work"
        self.home = folder / "home"
        for one in (self.folder, self.work, self.home):
            one.mkdir()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HORUS_PLUGIN")},
            "PYTHONPATH": str(self.folder),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "IMPORTS": str(folder / "imports"),
        }
        self._imports = folder / "imports"

    def install(self, distribution, groups, source=None, *, module=None, version="1.2", folder=None):
        """`groups`: {"horus.messages": "name = module"}. The module notes that it is imported, then runs `source`."""
        folder = folder or self.folder
        module = module or distribution.replace("-", "_")
        if source is not None:
            note = f"import os\nwith open(os.environ['IMPORTS'], 'a') as file: file.write('{module} ')\n"
            (folder / f"{module}.py").write_text(note + textwrap.dedent(source))
        info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        head = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (info / "METADATA").write_text(f"{head}\nName: what a description says\n")
        lines = [f"[{group}]\n{entries}\n" for group, entries in groups.items()]
        (info / "entry_points.txt").write_text("[console_scripts]\nx = y:z\n\n" + "\n".join(lines))
        return info

    @property
    def imports(self):
        """The modules that have been imported so far, in order, by all programs."""
        return self._imports.read_text().split() if self._imports.exists() else []

    def horus(self, *arguments, **environment):
        """Run the command."""
        return self._run(
            [sys.executable, "-W", "error", "-m", "horus_cli", *map(str, arguments)], environment
        )

    def python(self, source, **environment):
        """Run a program."""
        return self._run([sys.executable, "-W", "error", "-c", textwrap.dedent(source)], environment)

    @contextmanager
    def running(self, source):
        """A program that goes on meanwhile, and is ended then."""
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(source)],
            cwd=self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            try:
                yield program
            finally:
                program.terminate()

    def _run(self, command, environment):
        start = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.work,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(done, time.monotonic() - start)


@pytest.fixture
def site(tmp_path, horus_namespace):
    """A place to install distributions into."""
    return Site(tmp_path)


@pytest.fixture
def gripper():
    """The source of a plugin that brings a message type."""
    return GRIPPER
