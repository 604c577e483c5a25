"""`horus.RuntimeParams()`: the parameters of this process, in code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, overload

from horus_core.errors import ParamError
from horus_core.params import reach
from horus_core.params.env import Given
from horus_core.params.handle import DEFAULT, SET, RuntimeParam, Watcher
from horus_core.params.store import ABSENT, STORE, copied
from horus_core.params.values import Rules

T = TypeVar("T")


class MissingParamError(ParamError, KeyError):
    """`params["x"]` of a parameter without a value."""

    __str__ = Exception.__str__  # a KeyError shows its text in quotes


class RuntimeParams(Mapping[str, Any]):
    """The parameters of this process; all objects of this class are views of the same.

    A value set at runtime counts before the environment, that before the file, and the default of the code is last.
    Safe from all threads; reading takes no lock.
    """

    def __init__(self) -> None:
        """Read the environment and the file, if that was not done before.

        Raises ParamError or ConfigError for what is wrong there.
        """
        self._values = STORE.values
        STORE.load()
        if not reach.here.wanted:
            reach.here.want()

    @overload
    def get(self, name: str, /) -> Any: ...
    @overload
    def get(self, name: str, /, default: None) -> Any: ...
    @overload
    def get(self, name: str, /, default: T) -> T: ...

    def get(self, name: str, /, default: Any = None) -> Any:
        """The value, or the default where nobody gave one: of the default's type, if it has one.

        A whole number is a float where the default is one; any other value of another type is a ParamError.
        """
        value = self._values.get(name, ABSENT)
        if type(value) is type(default) or (default is None and value is not ABSENT):
            return value
        return STORE.get(name, default)

    def __getitem__(self, name: str) -> Any:
        value = self._values.get(name, ABSENT)
        if value is not ABSENT:
            return value
        param = STORE.ask(name)
        if param is None or not _has_value(param):
            near = STORE.nearest(name)
            hint = f" Did you mean {near[0]!r}?" if near else " Give it one, or use get() with a default."
            raise MissingParamError(f"Reading parameter {name!r} failed: expected a value, got none.{hint}")
        return copied(param.value)

    def __contains__(self, name: object) -> bool:
        """Whether it has a value that is not a default of get()."""
        return isinstance(name, str) and _has_value(STORE.ask(name))

    def __iter__(self) -> Iterator[str]:
        return iter([param.name for param in STORE.known() if _has_value(param)])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"RuntimeParams({dict(self)!r})"

    def set(self, name: str, value: Any) -> None:
        """Set it at runtime; on_change callbacks have been called when this returns.

        Unless another thread is calling them: it goes on with this change then. Raises ParamError when the value
        is of another type than declared, out of its limits, or a validator refuses it, and for a bad name.
        """
        STORE.set(name, Given(value, SET))

    def delete(self, name: str) -> bool:
        """Forget what was set: the environment, the file or the default count again. False where nothing was set."""
        return STORE.delete(name)

    def origin(self, name: str) -> str:
        """Who gave the value: `set`, a variable, a file with its line, or `default`.

        Raises ParamError for a name that has no value.
        """
        param = STORE.find(name)
        if param is None:
            raise MissingParamError(
                f"Asking for the origin of parameter {name!r} failed: expected a value, got none."
            )
        return param.origin

    @overload
    def declare(
        self,
        name: str,
        default: T,
        *,
        type: Any = ...,
        unit: str = ...,
        doc: str = ...,
        min: float | None = ...,
        max: float | None = ...,
        choices: Sequence[T] | None = ...,
        validator: Callable[[T], object] | None = ...,
        on_change: Callable[[T], object] | None = ...,
    ) -> RuntimeParam[T]: ...
    @overload
    def declare(
        self,
        name: str,
        *,
        type: type[T],
        unit: str = ...,
        doc: str = ...,
        min: float | None = ...,
        max: float | None = ...,
        choices: Sequence[T] | None = ...,
        validator: Callable[[T], object] | None = ...,
        on_change: Callable[[T], object] | None = ...,
    ) -> RuntimeParam[T]: ...

    def declare(
        self,
        name: str,
        default: Any = ABSENT,
        *,
        type: Any = None,  # noqa: A002 - what users expect to write
        unit: str = "",
        doc: str = "",
        min: float | None = None,  # noqa: A002 - the same
        max: float | None = None,  # noqa: A002 - the same
        choices: Sequence[Any] | None = None,
        validator: Callable[[Any], object] | None = None,
        on_change: Callable[[Any], object] | None = None,
    ) -> RuntimeParam[Any]:
        """Say what a parameter is, for tools and for who sets it; its `.value` is the fastest way to read it.

        Its type is that of the default, or `type`: numbers, text, bool, enums, Literal, lists, dicts, dataclasses.
        Without a default a value must be given. `min` and `max` are in `unit`. `validator(value)` refuses by raising
        or returning False; it is asked before every change, and of the first value. `on_change(value)` is called
        after it changed, on the thread that sets it: for `horus param set` that is none of the nodes'.

        Declaring it again in this process must be alike, and adds a validator and a callback; those of a node take
        the place of the ones it gave before. Raises ParamError for a first value that breaks the rules.
        """
        kind = type
        if kind is None:
            kind = Any if default is ABSENT or default is None else default.__class__
        rules = Rules(
            kind,
            None if default is ABSENT else default,
            unit,
            doc,
            min,
            max,
            None if choices is None else tuple(choices),
        )
        watcher = Watcher(_declaring_node(), validator, on_change)
        return STORE.declare(name, rules, watcher, required=default is ABSENT)


Params = RuntimeParams


def _has_value(param: RuntimeParam[Any] | None) -> bool:
    return param is not None and (param.declared or param.layer != DEFAULT)


def _declaring_node() -> str:
    """The node whose callback is under way on this thread."""
    from horus_core.scheduler import clock  # noqa: PLC0415 - a program without a scheduler does without

    loop = clock.here()
    entry = None if loop is None else loop.current
    return "" if entry is None else entry.node.name
