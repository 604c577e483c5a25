"""Callbacks that run elsewhere: in an event loop, in another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Callable


class Home:
    """Where a node's callbacks run: what an execution class sets before init()."""

    __slots__ = ("call",)

    def __init__(self) -> None:
        self.call: Callable[..., Any] | None = None
        """Called with an Elsewhere and its arguments; returns when the callback has ended, raises what it raised."""


class Elsewhere:
    """A callback that is a plain function for whoever calls it: it returns when the callback has ended."""

    __slots__ = ("_home", "function", "kind")

    def __init__(self, kind: str, function: Callable[..., Any] | None, home: Home) -> None:
        self.kind = kind
        self.function = function
        self._home = home

    def __call__(self, *arguments: Any) -> Any:
        """Call it there."""
        call = self._home.call
        if call is None:
            raise NodeError(
                f"Calling {self.kind}() failed: expected an execution class that knows where it runs, got "
                f"{self.function!r}. Leave out execution=."
            )
        return call(self, *arguments)
