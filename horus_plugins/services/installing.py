"""Making services: whose, in which namespace, checked, written, enabled and started."""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from horus_core.errors import ConfigError
from horus_plugins.services import installed, systemd, wanted
from horus_plugins.services.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence


_AFTER_PHASES_S = 10.0
"""For what left its group, and for the end itself."""
_FIRST_USER = 1000
"""Below are the system's own (SYS_UID_MAX)."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What is to be done with the units."""

    folder: Path | None = None
    """None: systemd's."""
    enable: bool = False
    start: bool = False
    replace: bool = False
    dry_run: bool = False


def user(said: str | None, caller: str | None) -> str:
    """Who a service of the system runs as: who was named, else who called sudo, else who is no root.

    Raises ConfigError for root, unless it was named, and for a user whom this machine does not know.
    """
    name = said or caller or _myself()
    if name == "root" and said is None:
        raise ConfigError(
            "Making a service failed: expected a user to run it, got root. Give --user NAME (or root, if it must be)."
        )
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise ConfigError(
            f"Making a service failed: expected a user of this machine, got {name!r}. Make one first: "
            f"`useradd --system --create-home {name}`."
        ) from None
    return name


def namespace_of(targets: Sequence[str]) -> str | None:
    """The namespace that a launch file names, if the only target is one."""
    if len(targets) != 1 or Path(targets[0]).suffix not in wanted.LAUNCH_FILES:
        return None
    from horus_plugins.launch.file.launch_file import load  # noqa: PLC0415 - only for launch files

    return load(targets[0]).namespace


def stop_time_of(targets: Sequence[str]) -> float:
    """Seconds that the slowest of these takes to stop, at most: launch files say how long their phases last."""
    launches = [target for target in targets if Path(target).suffix in wanted.LAUNCH_FILES]
    if not launches:
        return Wanted.stop_s
    from horus_plugins.launch.file.launch_file import load  # noqa: PLC0415 - only for launch files

    phases = [load(target).stop for target in launches]
    return max(Wanted.stop_s, *(one.graceful_s + one.terminate_s + _AFTER_PHASES_S for one in phases))


def install(described: Wanted, choices: Choices) -> installed.Installed:
    """Check the units, write them, and have systemd enable and start them as chosen."""
    own = described.user is None
    units = wanted.units(described)
    problems = systemd.problems(units)
    if problems:
        raise ConfigError(
            "Making services failed: expected units that systemd takes, got these complaints of systemd-analyze:\n"
            + "\n".join(f"  {line}" for line in problems)
        )
    folder = choices.folder or systemd.folder(own=own)
    last = units[-1].name  # the target, where there are several
    done = installed.Installed(
        files={str(folder / one.name): one.text for one in units},
        written=not choices.dry_run,
        problems=problems,
        notes=_notes(described.user),
        enabled=False,
        started=False,
        next_commands=_next(last, own=own),
    )
    if choices.dry_run:
        return done
    installed.install(units, folder, replace=choices.replace)
    if choices.folder is not None or not systemd.is_running(own=own):
        return done
    systemd.control("daemon-reload", own=own)
    if choices.enable:
        systemd.control(
            "enable", *(["--now"] if choices.start else []), *(one.name for one in units), own=own
        )
        done.enabled, done.started = True, choices.start
        done.next_commands = _next(last, own=own)[1:]
    return done


def _notes(name: str | None) -> list[str]:
    """Logind removes the shared memory of users who log out, but not of the system's own (logind.conf(5))."""
    if name is None or pwd.getpwnam(name).pw_uid < _FIRST_USER or _keeps_shared_memory():
        return []
    note = (
        f"{name} is no system user: when {name} logs out, systemd-logind removes the shared memory under the running "
        f"robot. Use a user made with `useradd --system`, or set RemoveIPC=no in /etc/systemd/logind.conf."
    )
    return [note]


def _keeps_shared_memory() -> bool:
    files = [Path("/etc/systemd/logind.conf"), *sorted(Path("/etc/systemd/logind.conf.d").glob("*.conf"))]
    for file in reversed(files):
        with suppress(OSError):
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            said = [line.partition("=")[2].strip() for line in lines if line.strip().startswith("RemoveIPC=")]
            if said:
                return said[-1].lower() in ("no", "false", "0", "off")
    return False


def _next(unit: str, *, own: bool) -> list[str]:
    mode = " --user" if own else ""
    name = unit if unit.endswith(".target") else unit.removesuffix(".service")
    return [
        f"systemctl{mode} enable --now {name}",
        f"horus service status{' --session' if own else ''}",
        f"journalctl{mode} -u '{name.removesuffix('.target')}*' -f",
    ]


def _myself() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
