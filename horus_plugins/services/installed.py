"""The services that `horus service` has made: writing their files, removing them, and how they stand."""

from __future__ import annotations

import configparser
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from horus_core.errors import ConfigError
from horus_plugins.services import systemd, unit, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from horus_plugins.services.unit import Unit

_ASKED = (
    "LoadState",
    "ActiveState",
    "SubState",
    "MainPID",
    "NRestarts",
    "Result",
    "UnitFileState",
    "StatusText",
)
_OWN = ("Name", "Target", "Namespace")
_SUFFIXES = (".service", ".target")


class Service(msgspec.Struct):
    """A unit that `horus service` made."""

    unit: str
    name: str
    """Of the robot: several units may be one's."""
    file: str
    target: str
    """What it runs; empty for a .target."""
    namespace: str
    active: str = "unknown"
    """As systemd calls it (`active`, `inactive`, `failed` …); `unknown` where systemd does not run."""
    sub: str = ""
    enabled: str = ""
    pid: int = 0
    restarts: int = 0
    result: str = ""
    status: str = ""
    """What the process told of itself."""


class Services(msgspec.Struct):
    """Units, by name."""

    folder: str
    systemd: bool
    """Whether it runs here."""
    services: list[Service]


class Installed(msgspec.Struct):
    """What was written, or would be."""

    files: dict[str, str]
    """Text of each, by path."""
    written: bool
    problems: list[str] | None
    """What systemd-analyze says; null where it is not there."""
    notes: list[str]
    """What to look after."""
    enabled: bool
    started: bool
    next_commands: list[str]


class Uninstalled(msgspec.Struct):
    """What was removed."""

    removed: list[str]


def install(units: Sequence[Unit], folder: Path, *, replace: bool) -> list[Path]:
    """Write the files, each as a whole.

    Raises ConfigError for a name that somebody else's unit has, or, without `replace`, one of ours.
    """
    for one in units:
        path = folder / one.name
        if path.exists() and _read(path) is None:
            raise ConfigError(
                f"Installing {one.name} failed: expected a free name, got a unit that `horus service` did not make "
                f"({path}). Choose another --name."
            )
        if path.exists() and not replace:
            raise ConfigError(
                f"Installing {one.name} failed: expected a free name, got one that is installed ({path}). --force "
                f"replaces it."
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder / one.name, one.text) for one in units]
    except OSError as error:
        raise ConfigError(
            f"Installing services failed: expected a folder that can be written, got {error.strerror} ({folder}). "
            f"Run it with sudo, or with --session for your own systemd."
        ) from error


def uninstall(name: str, folder: Path, *, own: bool) -> Uninstalled:
    """Stop, disable and remove the units of that name (of the robot, or of one unit)."""
    found = _named(name, services(folder, own=own))
    if systemd.is_running(own=own):
        with suppress(
            Exception
        ):  # one that systemd does not know any more; what matters is that the file goes
            systemd.control("disable", "--now", *(one.unit for one in reversed(found)), own=own)
    removed = []
    for one in found:
        for link in folder.glob(f"*.wants/{one.unit}"):
            link.unlink(missing_ok=True)
        Path(one.file).unlink(missing_ok=True)
        removed.append(one.file)
    if systemd.is_running(own=own):
        systemd.control("daemon-reload", own=own)
    return Uninstalled(removed)


def services(folder: Path, chosen: str | None = None, *, own: bool) -> list[Service]:
    """Those in a folder, with what systemd says of them; `chosen` names some, as for uninstall()."""
    found = []
    for path in sorted(folder.glob(f"{wanted.PREFIX}*")):
        about = _read(path) if path.suffix in _SUFFIXES else None
        if about is not None:
            name, target, where = (about.get(key, "").replace("%%", "%") for key in _OWN)
            found.append(Service(path.name, name, str(path), target, where))
    if chosen is not None:
        found = _named(chosen, found)
    if systemd.is_running(own=own):
        for one in found:
            _ask(one, own=own)
    return found


def _named(name: str, found: Iterable[Service]) -> list[Service]:
    known = list(found)
    chosen = [one for one in known if name in (one.name, one.unit, one.unit.partition(".")[0])]
    if not chosen:
        there = ", ".join(sorted({one.name for one in known})) or "none"
        raise ConfigError(
            f"No service {name!r}: expected one that `horus service install` made, got {there}."
        )
    return chosen


def _ask(service: Service, *, own: bool) -> None:
    shown = systemd.control("show", service.unit, *(f"--property={key}" for key in _ASKED), own=own)
    values = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    service.active = values.get("ActiveState", "unknown")
    service.sub = values.get("SubState", "")
    service.enabled = values.get("UnitFileState", "")
    service.pid = _number(values.get("MainPID"))
    service.restarts = _number(values.get("NRestarts"))
    service.result = values.get("Result", "")
    service.status = values.get("StatusText", "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _read(path: Path) -> dict[str, str] | None:
    """What our section says; None for a unit of somebody else's."""
    reader = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#", ";"))
    reader.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser documents it
    try:
        reader.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return None
    return dict(reader[unit.SECTION]) if reader.has_section(unit.SECTION) else None


def _write(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
