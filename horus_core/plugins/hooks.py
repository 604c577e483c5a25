"""Reading a plugin's hooks: functions marked with @horus.hookimpl, checked by name and arguments."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core.errors import PluginError
from horus_core.plugins import reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Hook(NamedTuple):
    """A function of a plugin, and which of the hook's arguments it takes."""

    function: Callable[..., object]
    takes: tuple[str, ...]


def read(target: Any) -> dict[str, Hook]:
    """The marked functions of a module or object, by hook.

    Raises PluginError for one whose name or argument no hook has; it names the nearest.
    """
    import pluggy  # noqa: PLC0415 - `import horus` must not pay for it

    from horus_core.plugins import hookspecs, marks  # noqa: PLC0415 - imports pluggy

    manager = pluggy.PluginManager(marks.PROJECT)
    manager.add_hookspecs(hookspecs)
    arguments = {name: _arguments(getattr(hookspecs, name)) for name in hookspecs.NAMES}
    for name in _marked(target, manager):
        if name not in arguments:
            raise PluginError(f"unknown hook {name!r}.{reasons.nearest(name, arguments)}")
        _check_arguments(name, getattr(target, name), arguments[name])
    manager.register(target)
    manager.check_pending()
    found = {name: getattr(manager.hook, name).get_hookimpls() for name in arguments}
    return {name: Hook(one[0].function, tuple(one[0].argnames)) for name, one in found.items() if one}


def contribute(target: Any, hook: str, register: Callable[[Any], None]) -> None:
    """Call one contribution hook of a plugin. Raises what it raises, and PluginError when it has no such hook."""
    found = read(target).get(hook)
    if found is None:
        raise PluginError(
            f"expected a function {hook}(register) marked with @horus.hookimpl, found none{_hint(target)}"
        )
    found.function(**({"register": register} if found.takes else {}))


def _marked(target: Any, manager: Any) -> list[str]:
    return [name for name in dir(target) if manager.parse_hookimpl_opts(target, name) is not None]


def _arguments(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


def _check_arguments(hook: str, function: Callable[..., object], known: Sequence[str]) -> None:
    for name in _arguments(function):
        if name not in known:
            offered = ", ".join(known)
            raise PluginError(
                f"{hook}() has no argument {name!r}; it has {offered}.{reasons.nearest(name, known)}"
            )


def _hint(target: Any) -> str:
    unmarked = [
        name for name in dir(target) if name.startswith("horus_") and callable(getattr(target, name, None))
    ]
    return f" ({unmarked[0]} is not marked)" if unmarked else ""
