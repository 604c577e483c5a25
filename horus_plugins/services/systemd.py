"""The systemd of this machine: where its units are, what it thinks of them, and what it does with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from horus_core.errors import HorusError, HorusTimeoutError, LaunchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_plugins.services.unit import Unit

_SYSTEM = Path("/etc/systemd/system")
_TIMEOUT_S = 60.0


def folder(*, own: bool) -> Path:
    """Where an administrator's units go; `own`: those of this user's own systemd."""
    if not own:
        return _SYSTEM
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def is_running(*, own: bool) -> bool:
    """Whether there is one to talk to (sd_booted(3))."""
    if not Path("/run/systemd/system").is_dir():
        return False
    return not own or bool(os.environ.get("XDG_RUNTIME_DIR"))


def problems(units: Iterable[Unit]) -> list[str] | None:
    """What `systemd-analyze verify` says of them; None where there is no such tool."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        return None
    with tempfile.TemporaryDirectory(prefix="horus-units-") as name:
        place = Path(name)
        paths = []
        for one in units:
            (place / one.name).write_text(one.text, encoding="utf-8")
            paths.append(str(place / one.name))
        done = _run([tool, "verify", "--man=no", *paths])
        said = [line.replace(f"{place}/", "") for line in (done.stdout + done.stderr).splitlines()]
    # It exits with 0 for most of what systemd would ignore, and speaks of other units of the machine, too.
    own = [Path(path).name for path in paths]
    return [line for line in said if any(name in line for name in own)]


def control(*words: str, own: bool) -> str:
    """What systemctl prints; raises HorusError with what it says when it fails."""
    line = ["systemctl", *(["--user"] if own else []), *words]
    done = _run(line)
    if done.returncode:
        raise HorusError(
            f"Running `{' '.join(line)}` failed: {done.stderr.strip() or f'exit code {done.returncode}'}."
        )
    return done.stdout


def _run(line: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            line, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise HorusTimeoutError(
            f"Running `{' '.join(line)}` failed: expected it to end within {_TIMEOUT_S:g} s, got no end."
        ) from None
    except OSError as error:
        raise LaunchError(
            f"Running {line[0]!r} failed: {error.strerror}. `horus service` needs a Linux with systemd."
        ) from error
