"""How a node's callbacks are called, decided once from their signatures.

A callback takes `(node)` or nothing; on_error takes `(node, exception)`, `(exception)` or nothing. A
TypeError in the middle of user code is then never mistaken for a wrong signature. With an async tick the others may
be async, too.
"""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError
from horus_core.nodes import importable
from horus_core.nodes.elsewhere import Elsewhere, Home

if TYPE_CHECKING:
    from collections.abc import Callable


_COROUTINE = 0x80
_UNUSUAL = 0x04 | 0x20 | 0x200
"""As in `inspect`: CO_COROUTINE; CO_VARARGS, CO_GENERATOR and CO_ASYNC_GENERATOR."""

KINDS = ("init", "tick", "shutdown", "on_error", "enter_safe_state")


class Callbacks:
    """A node's callbacks, ready to be called; None where there is none."""

    __slots__ = ("enter_safe_state", "home", "init", "is_async", "on_error", "shutdown", "tick")

    def __init__(
        self,
        node: object,
        base: type,
        given: dict[str, Callable[..., Any] | None],
        *,
        in_process: bool = False,
    ) -> None:
        """Take each from its keyword or from the method that a subclass of `base` overrides.

        `in_process`: they run in a process of their own, which imports them.
        """
        self.init = _prepared("init", node, base, given)
        self.shutdown = _prepared("shutdown", node, base, given)
        self.enter_safe_state = _prepared("enter_safe_state", node, base, given)
        tick = _prepared("tick", node, base, given)
        if tick is None:
            raise ConfigError(
                "Node without a tick: expected tick=..., or a subclass with a tick() method, got none."
            )
        self.tick: Callable[[], Any] = tick
        on_error = _chosen("on_error", node, base, given)
        self.on_error = None if on_error is None else with_error("on_error", on_error, node)
        self.home = Home()
        self.is_async = is_async(tick)
        for kind in KINDS:
            callback = getattr(self, kind)
            if callback is not None and is_async(callback):
                if not self.is_async:
                    raise ConfigError(
                        f"Bad {kind}: expected a plain function beside a plain tick, got the coroutine function "
                        f"{callback!r}. Make the tick async, too."
                    )
                setattr(self, kind, Elsewhere(kind, callback, self.home))
        if in_process and not self.is_async:
            self._move(node, base, given)

    def _move(self, node: object, base: type, given: dict[str, Callable[..., Any] | None]) -> None:
        """Let them be called in the other process, which starts with init and ends with shutdown."""
        for kind in KINDS:
            chosen = _chosen(kind, node, base, given)
            if chosen is not None:
                importable.reference(kind, chosen)
            if chosen is not None or kind in {"init", "shutdown"}:
                setattr(self, kind, Elsewhere(kind, chosen, self.home))


def is_async(callback: Callable[..., Any]) -> bool:
    """Whether a call of it is something to await."""
    if plain := _plain(callback):
        return bool(plain.__code__.co_flags & _COROUTINE)
    import inspect  # noqa: PLC0415 - `import horus` stays light

    return inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(type(callback).__call__)


def _plain(callback: Any) -> FunctionType | None:
    """The function, or that of the method, whose code says all about it: nobody has wrapped or marked it."""
    function = callback.__func__ if type(callback) is MethodType else callback
    return function if type(function) is FunctionType and not vars(function) else None


def _prepared(
    kind: str, node: object, base: type, given: dict[str, Callable[..., Any] | None]
) -> Callable[[], Any] | None:
    chosen = _chosen(kind, node, base, given)
    return None if chosen is None else with_node(kind, chosen, node)


def _chosen(
    kind: str, node: object, base: type, given: dict[str, Callable[..., Any] | None]
) -> Callable[..., Any] | None:
    keyword = given[kind]
    if getattr(type(node), kind) is getattr(base, kind):
        return keyword
    if keyword is not None:
        raise ConfigError(
            f"Bad {kind}: expected either {kind}= or the method {type(node).__name__}.{kind}, got both."
        )
    method: Callable[..., Any] = getattr(node, kind)
    return method


def with_node(what: str, callback: Callable[..., Any], node: object) -> Callable[[], Any]:
    """A callable without parameters that calls `callback`, with the node if it wants it."""
    wants = _wanted(what, callback, most=1, expected="(node) or nothing")
    # A bound method is the quickest way to a call with one more argument.
    return MethodType(callback, node) if wants else callback


def with_error(what: str, callback: Callable[..., Any], node: object) -> Callable[[BaseException], Any]:
    """A callable of the exception that calls `callback` with what it wants."""
    wants = _wanted(what, callback, most=2, expected="(node, exception), (exception) or nothing")
    if wants == 0:
        return _without_error(callback)
    return callback if wants == 1 else partial(callback, node)


def _without_error(callback: Callable[..., Any]) -> Callable[[BaseException], Any]:
    if is_async(callback):

        async def tell(_error: BaseException) -> Any:
            return await callback()

        return tell
    return lambda _error: callback()


def _wanted(what: str, callback: Callable[..., Any], *, most: int, expected: str) -> int:
    """How many positional arguments to pass.

    Parameters with a default are left alone (`lambda node, i=i: ...` captures a loop's variable), but for one
    called `node`.
    """
    said = _plainly_wanted(callback, most)
    if said is not None:
        return said
    import inspect  # noqa: PLC0415 - slow to import, and most callbacks are plain functions

    if not callable(callback):
        raise ConfigError(f"Bad {what}: expected a function of {expected}, got {callback!r}.")
    if any(
        inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one)
        for one in (callback, type(callback).__call__)
    ):
        raise ConfigError(
            f"Bad {what}: expected a function, got the generator {callback!r}, of which a call runs nothing. Leave "
            f"out yield."
        )
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):  # some callables written in C do not tell
        return most
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    keyword_only = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if len(required) > most or keyword_only:
        raise ConfigError(
            f"Bad {what}: expected a function of {expected}, got {inspect.signature(callback)}."
        )
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return most
    if not required and positional and positional[0].name == "node":
        return min(most, len(positional))
    return len(required)


def _plainly_wanted(callback: Any, most: int) -> int | None:
    """The same for what is usual, without `inspect`, which takes 5 ms to import; None where that has to look."""
    function = _plain(callback)
    if function is None:
        return None
    code, bound = function.__code__, int(callback is not function)
    names = code.co_varnames[bound : code.co_argcount]
    required = code.co_argcount - bound - len(function.__defaults__ or ())
    if code.co_flags & _UNUSUAL or code.co_kwonlyargcount or code.co_argcount < bound or required > most:
        return None
    if required <= 0 and names[:1] == ("node",):
        return min(most, len(names))
    return max(required, 0)
