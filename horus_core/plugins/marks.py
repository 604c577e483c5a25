"""How a plugin marks its hooks. The marks are pluggy's, made without it: it takes 8 ms to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = "horus"

_F = TypeVar("_F", bound="Callable[..., Any]")
_PLAIN = {
    "wrapper": False,
    "hookwrapper": False,
    "optionalhook": False,
    "tryfirst": False,
    "trylast": False,
    "specname": None,
}


@overload
def hookimpl(function: _F) -> _F: ...


@overload
def hookimpl(function: None = None, **options: Any) -> Callable[[_F], _F]: ...


def hookimpl(function: Any = None, **options: Any) -> Any:
    """Mark a function of a plugin or an observer as the one that HORUS calls for the hook of its name.

    The hooks, and what each is called with: horus_core/plugins/hookspecs.py.
    """
    if function is not None and not options:
        setattr(function, f"{PROJECT}_impl", dict(_PLAIN))
        return function
    import pluggy  # noqa: PLC0415 - only for its options, of which HORUS's hooks use none

    return pluggy.HookimplMarker(PROJECT)(function, **options)
