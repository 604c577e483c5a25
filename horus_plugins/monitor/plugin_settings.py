"""Switching plugins off and on for good: in the project's horus.toml if there is one, else in the user's settings.

A horus.yaml is read, and never written.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from horus_core import project
from horus_core.errors import ConfigError
from horus_core.plugins import discovery, rules
from horus_core.plugins.metadata import canonical
from horus_plugins.monitor import plugins

if TYPE_CHECKING:
    from pathlib import Path

_HEADER = re.compile(r"\s*\[\s*plugins\s*\]\s*(#.*)?$")
_ANY_HEADER = re.compile(r"\s*\[")
_KEY = re.compile(r"\s*disable\s*=")


def disable(name: str) -> Path:
    """Use the plugins of that name no more; return the file that says so from now on.

    Raises ConfigError for a name that no plugin has, and for what comes with HORUS.
    """
    discovery.check_settings()
    for plugin in plugins.named(name):
        if plugin.is_box:
            raise ConfigError(
                f"Disabling {name!r} failed: expected a plugin of others, got {plugin}, which comes with HORUS."
            )
    path = project.find() or project.user_file()
    names = _disabled(path)
    if canonical(name) not in names:
        _write(path, [*names, canonical(name)])
    discovery.forget()
    return path


def enable(name: str) -> list[Path]:
    """Use the plugins of that name again; return the files that said otherwise.

    Raises ConfigError for a name that neither a plugin has nor a file disables.
    """
    discovery.check_settings()
    changed = []
    for path in (project.find(), project.user_file()):
        names = _disabled(path) if path is not None else []
        if path is not None and canonical(name) in names:
            _write(path, [one for one in names if one != canonical(name)])
            changed.append(path)
    if not changed:
        plugins.named(name)
    discovery.forget()
    return changed


def _disabled(path: Path) -> list[str]:
    settings = project.read(path)
    table = settings.table("plugins", rules.KEYS) if settings is not None else {}
    return [canonical(name) for name in table.get("disable", ())]


def _write(path: Path, names: list[str]) -> None:
    """Put the list into the file, and leave everything else in it as it is."""
    settings = project.read(path)
    if settings is not None and settings.is_yaml:
        raise ConfigError(
            f"Changing {path} failed: this command changes TOML only. Write `disable: [{', '.join(names)}]` under "
            f"`plugins:` yourself."
        )
    before = settings.text if settings is not None else ""
    quoted = ", ".join(f'"{name}"' for name in names)
    line = f"disable = [{quoted}]"
    text = _with_line(before, line)
    wanted = dict(settings.tables) if settings is not None else {}
    wanted["plugins"] = {**wanted.get("plugins", {}), "disable": names}
    try:
        good = project.Settings(path, text).tables == wanted
    except ConfigError:
        good = False
    if not good:
        raise ConfigError(
            f"Changing {path} failed: it is written in a way that this command cannot change. Write {line} under "
            f"[plugins] yourself."
        )
    _replace(path, text)


def _with_line(text: str, line: str) -> str:
    lines = text.splitlines()
    start = next((number for number, one in enumerate(lines) if _HEADER.match(one)), None)
    if start is None:
        return "\n".join([*lines, *([""] if lines else []), "[plugins]", line, ""])
    end = next((at for at in range(start + 1, len(lines)) if _ANY_HEADER.match(lines[at])), len(lines))
    old = next((at for at in range(start + 1, end) if _KEY.match(lines[at])), None)
    if old is None:
        return "\n".join([*lines[: start + 1], line, *lines[start + 1 :], ""])
    last = next(at for at in range(old, end) if "]" in lines[at].partition("#")[0] or at == end - 1)
    return "\n".join([*lines[:old], line, *lines[last + 1 :], ""])


def _replace(path: Path, text: str) -> None:
    """Write a file in one step: who reads it meanwhile sees the old or the new one."""
    target = path.resolve()
    new = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        if target.exists():
            new.chmod(target.stat().st_mode)
        new.replace(target)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ConfigError(f"Changing {path} failed: {error}. Check the permissions of its folder.") from error
