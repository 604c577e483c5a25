"""What `horus plugin` shows: which plugins there are, and whether they work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from horus_core.errors import ConfigError
from horus_core.plugins import discovery, kinds, reasons, record
from horus_core.plugins.metadata import canonical
from horus_plugins.monitor.plugin_report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from horus_core.plugins.record import Plugin

_AT_ONCE = 4
_SHADOWED = f"its command is not used: {record.BOX} has one of that name"


class PluginState(msgspec.Struct):
    """A plugin as it is found, and what became of it in a process that loaded it, if one did."""

    name: str
    group: str
    distribution: str
    version: str
    value: str
    """What the entry point names: `module` or `module:object`."""
    enabled: bool
    disabled_by: str | None
    error: str | None
    notes: list[str]
    report: Report | None = None
    api: int = kinds.API_VERSION
    """The version of the hooks of this HORUS."""

    @property
    def source(self) -> str:
        """Distribution and version, or the file of a one-file plugin."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def state(self) -> str:
        """One word for all of it."""
        if self.error is not None:
            return record.FAILED
        if self.report is not None:
            return self.report.state
        return "enabled" if self.enabled else record.DISABLED

    @property
    def is_bad(self) -> bool:
        """Whether something is to be mended."""
        return self.error is not None or (self.report is not None and self.report.error is not None)


class PluginShown(msgspec.Struct):
    """A plugin, and what became of it where it was loaded."""

    name: str
    group: str
    distribution: str
    version: str
    value: str
    enabled: bool
    state: str
    """`enabled`, `disabled`, `loaded` or `failed`."""
    api: int
    """The version of the hooks of this HORUS."""
    disabled_by: str | None = None
    error: str | None = None
    notes: list[str] = []
    made_for_api: int | str | None = None
    gave: list[str] | None = None
    """What it supplies; with the rest below null where it was not loaded."""
    load_s: float | None = None
    file: str | None = None
    traceback: str | None = None
    said: str | None = None
    """What it wrote to stdout and stderr, at most 4000 characters."""


class PluginList(msgspec.Struct):
    """Plugins, strangers' first."""

    plugins: list[PluginShown]


class Switched(msgspec.Struct):
    """What `enable` or `disable` changed."""

    name: str
    enabled: bool
    files: list[str]


def every() -> list[PluginState]:
    """All plugins, strangers' first. Imports none."""
    plugins = sorted(discovery.every(), key=lambda plugin: plugin.is_box)
    return [_state(plugin) for plugin in plugins]


def look_into(name: str | None, time_limit_s: float) -> list[PluginState]:
    """Load plugins, each in a process of its own that is given so many seconds, and tell what became of them.

    `name` is that of a distribution, an entry point or a one-file plugin; None stands for all that are enabled.
    Raises ConfigError when no plugin is called so.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - `list` must not pay for it

    from horus_plugins.monitor.plugin_probe import probe  # noqa: PLC0415 - the same

    if name is None:
        discovery.check_settings()  # which are to be checked is what they say
    plugins = named(name) if name is not None else list(discovery.every())
    plugins.sort(key=lambda plugin: plugin.is_box)
    looked_at = len(plugins)
    plugins += _rivals(plugins)
    states = [_state(plugin) for plugin in plugins]
    chosen = [
        (plugin, state)
        for number, (plugin, state) in enumerate(zip(plugins, states, strict=True))
        if state.error is None and (state.enabled or (name is not None and number < looked_at))
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        reports = pool.map(lambda one: probe(one[0], time_limit_s), chosen)
        for (_, state), report in zip(chosen, reports, strict=True):
            state.report = report
    _find_conflicts([state for state in states if state.report is not None])
    return states[:looked_at]


def named(name: str) -> list[Plugin]:
    """The plugins that are called so. Raises ConfigError when there is none, with the nearest name."""
    plugins = discovery.every()
    found = [plugin for plugin in plugins if canonical(name) in plugin.names()]
    if not found:
        discovery.check_settings()  # a file in a folder that is not known might have it
        known = {one for plugin in plugins for one in (plugin.name, plugin.distribution)}
        raise ConfigError(
            f"Finding the plugin {name!r} failed: expected a distribution or an entry point, got a name that "
            f"nobody has.{reasons.nearest(name, known)} See `horus plugin list`."
        )
    return found


def _rivals(plugins: list[Plugin]) -> list[Plugin]:
    """The others that might supply a name which these supply: commands and nodes by what they are called."""
    mine = [plugin for plugin in plugins if not plugin.is_box]
    groups = {plugin.group for plugin in mine} & set(kinds.CONTRIBUTIONS)
    called = {(plugin.group, plugin.name) for plugin in mine if plugin.group in {kinds.COMMANDS, kinds.NODES}}
    return [
        plugin
        for plugin in discovery.every()
        if not plugin.is_box
        and plugin.disabled_by is None
        and plugin not in plugins
        and (plugin.group in groups or (plugin.group, plugin.name) in called)
    ]


def _state(plugin: Plugin) -> PluginState:
    return PluginState(
        plugin.name,
        plugin.group,
        plugin.distribution,
        plugin.version,
        plugin.value,
        enabled=plugin.disabled_by is None,
        disabled_by=plugin.disabled_by,
        error=plugin.error,
        notes=[*plugin.notes, *_found_notes(plugin)],
    )


def _found_notes(plugin: Plugin) -> Iterator[str]:
    """What is wrong with it by its metadata alone."""
    if plugin.group == kinds.COMMANDS and not plugin.is_box and plugin.name in _own_commands():
        yield _SHADOWED
    for other in discovery.hidden(plugin.distribution):
        yield f"another version is installed, and is not used: {other}"


def _find_conflicts(states: Iterable[PluginState]) -> None:
    """What two plugins give is of no use: both count as failed. HORUS's own are used in any case.

    Several entry points of a distribution may name one module, so that each type is found by its name.
    """
    givers: dict[tuple[str, str], list[PluginState]] = {}
    for state in states:
        if state.distribution == record.BOX or state.report is None or state.group == kinds.OBSERVERS:
            continue
        if state.group == kinds.COMMANDS and state.name in _own_commands():
            state.notes.remove(_SHADOWED)
            state.error = _SHADOWED
            continue
        for name in state.report.gave:
            givers.setdefault((state.group, name), []).append(state)
    for (_, name), all_of_them in givers.items():
        modules = {(one.distribution, one.value.partition(":")[0]): one for one in all_of_them}
        if len(modules) > 1:
            who = " and ".join(f"{modules[key].source} ({modules[key].value})" for key in sorted(modules))
            for state in all_of_them:
                state.error = (
                    f"{name!r} comes from {who}: expected one of them; uninstall or disable the other"
                )


def _own_commands() -> set[str]:
    return {one.name for one in discovery.entry_points(kinds.COMMANDS) if one.is_box}


def shown(state: PluginState) -> PluginShown:
    """All of it, flat, with the word for its state."""
    told = msgspec.to_builtins(state)
    report = told.pop("report") or {}
    both = {"error": state.error or report.get("error"), "notes": [*state.notes, *report.get("notes", ())]}
    flat = {**report, **told, **both, "state": state.state, "made_for_api": report.get("api")}
    return msgspec.convert(flat, PluginShown)


def lines(states: list[PluginState]) -> Iterator[str]:
    """A table of them."""
    rows = [("NAME", "GROUP", "DISTRIBUTION", "STATE")]
    rows += [(one.name, one.group, one.source, one.state) for one in states]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for number, row in enumerate(rows):
        yield "  ".join(text.ljust(width) for text, width in zip(row, (*widths, 0), strict=True)).rstrip()
        if number:
            yield from (f"  {text}" for text in remarks(states[number - 1]))


def remarks(state: PluginState) -> Iterator[str]:
    """What is to be said of a plugin besides its state."""
    yield from filter(None, (state.error, state.disabled_by))
    yield from state.notes
    if state.report is not None:
        yield from filter(None, (state.report.error,))
        yield from state.report.notes


def details(state: PluginState) -> Iterator[str]:
    """All that is known of one, line by line."""
    report = state.report or Report(state.state)
    yield f"{state.name} ({state.group})"
    told = {
        "distribution": state.source,
        "entry point": state.value,
        "file": report.file,
        "enabled": "yes" if state.enabled else f"no: {state.disabled_by}",
        "state": state.state,
        "gave": ", ".join(report.gave) or None,
        "load time": f"{report.load_s * 1e3:.1f} ms" if report.load_s is not None else None,
        "API version": f"{report.api or 'not said'}, of this HORUS {state.api}",
        "why": "; ".join(filter(None, (state.error, report.error))) or None,
        "note": "; ".join([*state.notes, *report.notes]) or None,
    }
    for name, value in told.items():
        if value is not None:
            yield f"  {name:<12}  {value}"
    for title, text in (("traceback", report.traceback), ("it wrote", report.said)):
        if text:
            yield f"  {title}"
            yield from (f"    {line}" for line in text.splitlines())
