"""Which installer is the right one for this interpreter: the command line that it takes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from horus_core.errors import LaunchError

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTALL = "install"
UNINSTALL = "uninstall"
_NO_QUESTION = "--yes"
_SIGNALLED = 128


def command(verb: str, words: Sequence[str]) -> list[str]:
    """The command line that installs or removes packages; `words` are packages and options of the installer.

    uv's where it made the environment or pip is missing, else pip's. Raises LaunchError in an environment that
    belongs to the system, or where there is no installer.
    """
    _refuse_the_systems(verb)
    pip = _module("pip")
    uv = _uv()
    if uv and (_made_by_uv() or not pip):
        return [*uv, "pip", verb, "--python", sys.executable, *words]
    if not pip:
        raise LaunchError(
            f"{_doing(verb)} failed: expected pip or uv, got neither for {sys.executable}. Run "
            f"`{sys.executable} -m ensurepip`, or install uv."
        )
    options = [_NO_QUESTION] if verb == UNINSTALL else []
    return [sys.executable, "-m", "pip", verb, *options, *words]


def run(line: Sequence[str], *, quiet: bool = False) -> int:
    """Run the installer on this terminal; its exit code, 128 + n where signal n ended it.

    `quiet` has it write to stderr alone. Ctrl+C reaches it as it reaches us: how it ends is its business.
    """
    try:
        process = subprocess.Popen(list(line), stdout=sys.stderr if quiet else None)
    except OSError as error:
        raise LaunchError(
            f"Running {line[0]!r} failed: {error.strerror}. Check that it is installed."
        ) from error
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue
        return code if code >= 0 else _SIGNALLED - code


def _refuse_the_systems(verb: str) -> None:
    """What a distribution's package manager looks after is not ours to change (PEP 668)."""
    if sys.prefix != sys.base_prefix:
        return
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    if marker.exists():
        raise LaunchError(
            f"{_doing(verb)} failed: expected an environment of your own, got {sys.executable}, which belongs to "
            f"the system ({marker}). Make one and install HORUS into it: `python3 -m venv .venv`, "
            f"`. .venv/bin/activate`, `pip install horus-core`."
        )


def _made_by_uv() -> bool:
    try:
        text = (Path(sys.prefix) / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in text.splitlines())


def _uv() -> list[str]:
    """How uv is called, or nothing."""
    found = shutil.which("uv")
    if found:
        return [found]
    return [sys.executable, "-m", "uv"] if _module("uv") else []


def _module(name: str) -> bool:
    return find_spec(name) is not None


def _doing(verb: str) -> str:
    return "Installing" if verb == INSTALL else "Uninstalling"
