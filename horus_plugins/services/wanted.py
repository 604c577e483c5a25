"""From what a user wants to have running to units: one for each target, and a .target that holds several together."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from horus_core import names
from horus_core.errors import ConfigError
from horus_plugins.services import unit
from horus_plugins.services.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "horus-"
LAUNCH_FILES = (".yaml", ".yml")
"""Suffixes of launch files."""
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What `horus service install` was told."""

    targets: tuple[str, ...]
    """Launch files, Python files, executables, packaged nodes."""
    name: str
    namespace: str
    user: str | None
    """None: of a user's own systemd, whose services are that user's."""
    groups: tuple[str, ...] = ()
    """Besides the user's own: of devices."""
    after: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    restart: str = "on-failure"
    restart_s: float = 3.0
    watchdog_s: float = 10.0
    """0: none."""
    notify: bool = True
    """Whether it tells systemd when it is ready, as horus.run() and horus launch do."""
    realtime: bool = True
    stop_s: float = 15.0
    """From SIGTERM to systemd's SIGKILL: longer than what runs takes to stop by itself."""


def units(wanted: Wanted) -> list[Unit]:
    """The units, those first which start first. Raises ConfigError and InvalidNameError for what cannot be one."""
    _check(wanted)
    targets = [_absolute(target) for target in wanted.targets]
    if len(targets) == 1:
        return [_service(wanted, f"{PREFIX}{wanted.name}", targets[0], before=None, group=None)]
    group = f"{PREFIX}{wanted.name}.target"
    made: list[Unit] = []
    for target, stem in zip(targets, _stems(targets), strict=True):
        before = made[-1].name if made else None
        made.append(_service(wanted, f"{PREFIX}{wanted.name}-{stem}", target, before=before, group=group))
    return [*made, _group(wanted, group, [one.name for one in made])]


def default_name(targets: Sequence[str]) -> str:
    """The stem of the only target, else the name of the folder."""
    if len(targets) == 1:
        return Path(targets[0]).stem
    return Path(os.path.commonpath([Path(target).absolute().parent for target in targets])).name


def _check(wanted: Wanted) -> None:
    names.namespace_name(wanted.namespace)
    if not _WORD.fullmatch(wanted.name):
        raise ConfigError(
            f"Bad name of a service {wanted.name!r}: expected 1 to 64 of A-Z a-z 0-9 _ . -. Give one with --name."
        )
    for variable in wanted.environment:
        if not _VARIABLE.fullmatch(variable):
            raise ConfigError(f"Bad variable {variable!r}: expected NAME=VALUE, as --env takes it.")


def _absolute(target: str) -> str:
    path = Path(target)
    if path.exists():
        # systemd takes no `..`. Other links stay as they are: what they point to may change.
        return str((path.parent.resolve() if ".." in path.parts else path.parent.absolute()) / path.name)
    if path.suffix:
        raise ConfigError(
            f"Making a service of {target!r} failed: expected a file, got none there. Check the name and the folder."
        )
    return target  # a packaged node


def _stems(targets: Sequence[str]) -> list[str]:
    stems = [Path(target).stem for target in targets]
    for stem in stems:
        if not _WORD.fullmatch(stem) or stems.count(stem) > 1:
            raise ConfigError(
                f"Making services failed: expected targets whose names differ and are of A-Z a-z 0-9 _ . -, got "
                f"{stem!r}. Rename one, or use a launch file."
            )
    return stems


def _service(wanted: Wanted, name: str, target: str, *, before: str | None, group: str | None) -> Unit:
    launches = Path(target).suffix in LAUNCH_FILES
    after = ["network.target", *wanted.after, *([before] if before else [])]
    unit_section = [("Description", unit.specifiers(f"HORUS {wanted.name}: {Path(target).name}"))]
    unit_section += [("After", " ".join(after))]
    if group is not None:
        unit_section += [("PartOf", group)]
    install = [("WantedBy", group or ("multi-user.target" if wanted.user else "default.target"))]
    own = [("Name", wanted.name), ("Target", unit.specifiers(target)), ("Namespace", wanted.namespace)]
    return Unit(
        f"{name}.service",
        [
            ("Unit", unit_section),
            ("Service", [*_running(wanted, target, launches=launches), *_rights(wanted), *_ending(wanted)]),
            ("Install", install),
            (unit.SECTION, own),
        ],
    )


def _running(wanted: Wanted, target: str, *, launches: bool) -> list[unit.Line]:
    folder = Path(target).parent if Path(target).is_absolute() else Path.home()
    lines = [("Type", "notify" if wanted.notify else "simple")]
    if wanted.notify and wanted.watchdog_s:
        lines += [("WatchdogSec", f"{wanted.watchdog_s:g}")]
    lines += [("WorkingDirectory", unit.specifiers(str(folder)))]
    binary = Path(sys.executable).parent  # never resolved: a virtual environment is where its link is
    variables = {
        "PATH": f"{binary}:{_SYSTEM_PATH}",
        "HORUS_NAMESPACE": wanted.namespace,
        "PYTHONUNBUFFERED": "1",
        **wanted.environment,
    }
    lines += [("Environment", unit.assignment(name, value)) for name, value in variables.items()]
    verb = "launch" if launches else "run"
    lines += [("ExecStart", unit.command([*_horus(), verb, target]))]
    return lines


def _horus() -> list[str]:
    script = Path(sys.executable).parent / "horus"
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "horus_cli"]


def _rights(wanted: Wanted) -> list[unit.Line]:
    lines = []
    if wanted.user is not None:
        lines += [("User", wanted.user)]
        if wanted.groups:
            lines += [("SupplementaryGroups", " ".join(wanted.groups))]
    if wanted.realtime:
        lines += [("LimitMEMLOCK", "infinity"), ("LimitRTPRIO", "99")]
        if wanted.user is not None:  # a user's own systemd has none to give
            lines += [("AmbientCapabilities", "CAP_SYS_NICE CAP_IPC_LOCK")]
    return lines


def _ending(wanted: Wanted) -> list[unit.Line]:
    return [
        ("Restart", wanted.restart),
        ("RestartSec", f"{wanted.restart_s:g}"),
        # SIGTERM to the main process alone: it stops its own children in their order.
        ("KillMode", "mixed"),
        ("TimeoutStopSec", f"{wanted.stop_s:g}"),
        ("StandardOutput", "journal"),
        ("StandardError", "journal"),
    ]


def _group(wanted: Wanted, name: str, services: list[str]) -> Unit:
    return Unit(
        name,
        [
            ("Unit", [("Description", f"HORUS {wanted.name}"), ("Wants", " ".join(services))]),
            ("Install", [("WantedBy", "multi-user.target" if wanted.user else "default.target")]),
            (unit.SECTION, [("Name", wanted.name)]),
        ],
    )
