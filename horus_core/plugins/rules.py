"""Which plugins may be used: what the environment, the project's horus.toml and the user's own settings say.

HORUS_PLUGINS=a,b allows only these besides what comes with HORUS, and those in any case; without it all but what is
listed as `disable` under [plugins] in horus.toml or in the user's config.toml. Names are those of distributions or
entry points. While a file of settings is wrong nobody can tell what it allows: then none but those in HORUS_PLUGINS.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from horus_core import project
from horus_core.errors import ConfigError
from horus_core.plugins import reasons
from horus_core.plugins.metadata import canonical

if TYPE_CHECKING:
    from pathlib import Path

    from horus_core.plugins.record import Plugin

ONLY = "HORUS_PLUGINS"
KEYS: dict[str, type] = {"folder": str, "disable": list}


class Rules(NamedTuple):
    """What is allowed."""

    only: frozenset[str] | None
    disabled: dict[str, Path]
    """By canonical name: the file that says so."""
    folder: Path | None
    """The project's folder of one-file plugins."""
    wrong: ConfigError | None = None
    """What is wrong with the settings."""

    def forbids(self, plugin: Plugin) -> str | None:
        """Why a plugin may not be used, with the way out, or None."""
        if plugin.is_box:
            return None
        names = plugin.names()
        if self.only is not None:
            if names & self.only:
                return None
            return f"{ONLY} leaves it out: add {plugin.distribution} to it, or unset it"
        if self.wrong is not None:
            return f"No plugin of others is used while the settings are wrong: {reasons.one_line(self.wrong)}"
        for name in names & set(self.disabled):
            return f"{self.disabled[name]} disables {name!r}: run `horus plugin enable {name}`"
        return None


def read() -> Rules:
    """Read the rules. Wrong settings are in them as an error with file and line: who needs them raises it."""
    said = os.environ.get(ONLY)
    only = (
        frozenset(canonical(name.strip()) for name in said.split(",") if name.strip())
        if said is not None
        else None
    )
    try:
        return Rules(only, *_settings())
    except ConfigError as error:
        return Rules(only, {}, None, error)


def _settings() -> tuple[dict[str, Path], Path | None]:
    """What the files say is disabled, and the project's folder. Raises ConfigError for files that are wrong."""
    disabled: dict[str, Path] = {}
    folder = None
    user = project.existing_user_file()
    for file in (user, project.find()):
        settings = project.read(file) if file is not None else None
        if settings is None:
            continue
        table = settings.table("plugins", KEYS if file != user else {"disable": list})
        disabled.update({canonical(name): settings.path for name in table.get("disable", ())})
        if "folder" in table:
            folder = _folder(settings, table["folder"])
    return disabled, folder


def _folder(settings: project.Settings, name: str) -> Path:
    folder = settings.path.parent / name
    if not folder.is_dir():
        where = f"{settings.path}:{settings.line('plugins', 'folder')}"
        raise ConfigError(
            f"Reading the project's settings failed: {where}: expected a folder of plugins, got "
            f"{name!r}, which is none. Make it, or take the line out."
        )
    return folder
