"""Finding, loading and calling plugins, each by itself: one that fails takes no other down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Plugin:
    """One entry point: who brings it, what became of it, what it gave."""

    __slots__ = ("distribution", "error", "gave", "group", "name", "target", "value", "version")

    def __init__(self, group: str, name: str, value: str, distribution: str, version: str) -> None:
        self.group = group
        self.name = name
        self.value = value
        self.distribution = distribution
        self.version = version
        self.target: Any = None
        self.gave: list[str] = []
        self.error: str | None = None

    def __repr__(self) -> str:
        return f"<plugin {self.distribution} {self.version}: {self.group} {self.name} = {self.value}>"


def load(group: str) -> list[Plugin]:
    """Import what the entry points of a group name; a module that stands there twice comes once."""
    plugins: list[Plugin] = []
    for plugin, entry_point in _entry_points(group):
        try:
            plugin.target = entry_point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may even call sys.exit() when imported
            plugin.error = _reason(error)
        if plugin.target is None or all(plugin.target is not other.target for other in plugins):
            plugins.append(plugin)
    return plugins


def call(plugin: Plugin, hook: str, register: Any) -> None:
    """Call one contribution hook of one plugin; what it raises becomes the plugin's `error`."""
    if plugin.target is None:
        return
    import pluggy  # noqa: PLC0415 - `import horus` must not pay for it

    from horus_core.plugins import hookspecs  # noqa: PLC0415 - imports pluggy

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin.target, plugin.name)
        manager.check_pending()
        if not getattr(manager.hook, hook).get_hookimpls():
            plugin.error = f"expected a function {hook}(register) marked with @horus.hookimpl, found none"
        getattr(manager.hook, hook)(register=register)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - as above
        plugin.error = _reason(error)


def _entry_points(group: str) -> Iterator[tuple[Plugin, Any]]:
    import importlib_metadata  # noqa: PLC0415 - reads files of every distribution

    found = importlib_metadata.entry_points(group=group)
    for one in sorted(found, key=lambda one: (one.dist.name if one.dist else "", one.name)):
        name, version = (one.dist.name, one.dist.version) if one.dist else ("unknown", "unknown")
        yield Plugin(group, one.name, one.value, name, version), one


def _reason(error: BaseException) -> str:
    where = ""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is not None:
        where = f" ({frame.tb_frame.f_code.co_filename}:{frame.tb_lineno})"
    return f"{type(error).__name__}: {error}{where}"
