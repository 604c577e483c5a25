"""What a packaged node lets its user set: keyword-only arguments of the function that makes it."""

from __future__ import annotations

import enum
import inspect
import json
import math
import types
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from horus_core.errors import ParamError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.params.env import Given

_T = TypeVar("_T")


class Declaration:
    """What `horus.param(...)` puts in the place of a default. HORUS replaces it before the function is called."""

    __slots__ = ("default", "doc", "unit")

    def __init__(self, default: Any, unit: str, doc: str) -> None:
        self.default = default
        self.unit = unit
        self.doc = doc

    def __repr__(self) -> str:
        return f"horus.param(default={self.default!r})"

    def _no_value(self, *_other: object) -> NoReturn:
        raise ParamError(
            f"Using a parameter failed: expected a value, got its declaration {self!r}: the function was called "
            f"directly. Call it by horus.testing.make_nodes(function, name=value, ...), which fills in the defaults."
        )

    # Whatever code does first with a value: a declaration must not pass for True, or for another text.
    __bool__ = __float__ = __int__ = __index__ = __iter__ = __len__ = __getitem__ = __eq__ = _no_value
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = _no_value
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _no_value
    __hash__ = object.__hash__


def param(*, default: _T, unit: str = "", doc: str = "") -> _T:
    """Declare a parameter of a packaged node: the default of a keyword-only argument, with its unit and meaning.

    `def make(*, max_speed: float = horus.param(default=1.0, unit="m/s", doc="...")) -> horus.Node`. Type checkers
    take it for the default itself.
    """
    return cast("_T", Declaration(default, unit, doc))


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name, what values it takes, and what it means."""

    name: str
    type: Any
    default: Any = None
    required: bool = False
    unit: str = ""
    doc: str = ""

    @property
    def type_name(self) -> str:
        """The type as users write it."""
        return type_name(self.type)

    def convert(self, given: Given) -> Any:
        """The value that was given, as the parameter's type; raises ParamError for one that is none.

        A whole number is a float where one is wanted; nothing else becomes another type. What was written as text
        may be any of the forms that the type has.
        """
        for candidate in _readings(self.type, given):
            found, value = _converted(self.type, candidate)
            if found:
                self._refuse_dropped(candidate, value, given.origin)
                return value
        shown = given.value if given.text is None else given.text
        unit = f" ({self.unit})" if self.unit else ""
        raise ParamError(
            f"Bad parameter {self.name!r}: expected {self.type_name}{_choices(self.type)}{unit}, got {shown!r} "
            f"(from {given.origin})."
        )

    def _refuse_dropped(self, given: Any, value: Any, origin: str) -> None:
        """A misspelt field of a dataclass must not leave it at its default."""
        from horus_core.nodes.unknown import dropped  # noqa: PLC0415 - only where a value is given

        for key, owner, known in dropped(given, value):
            import difflib  # noqa: PLC0415 - only for an error's text

            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ParamError(
                f"Bad parameter {self.name!r}: expected fields of {owner} ({', '.join(known)}), got {key!r} "
                f"(from {origin}).{hint}"
            )


def parameters(function: Callable[..., Any], what: str) -> dict[str, Parameter]:
    """The parameters of a function that makes nodes: its keyword-only arguments.

    Raises PluginError for a function that cannot be called with these alone, and for defaults that are not what
    they are annotated as; `what` names the function.
    """
    try:
        signature = inspect.signature(_signed(function))
    except (TypeError, ValueError) as error:
        raise PluginError(f"Reading the parameters of {what} failed: {error}.") from error
    found = {}
    for argument in signature.parameters.values():
        if argument.kind is argument.KEYWORD_ONLY:
            found[argument.name] = _parameter(argument, function, what)
        elif argument.default is argument.empty and argument.kind not in (
            argument.VAR_POSITIONAL,
            argument.VAR_KEYWORD,
        ):
            raise PluginError(
                f"Reading the parameters of {what} failed: expected keyword-only arguments (after a `*`), got the "
                f"positional {argument.name!r}. Write def {getattr(function, '__name__', 'make')}(*, ...)."
            )
    return found


def type_name(annotation: Any) -> str:
    """A type as users write it."""
    if annotation is Any:
        return "anything"
    plain = isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias)
    return annotation.__name__ if plain else str(annotation).replace("typing.", "")


def _choices(annotation: Any) -> str:
    """` (one of 'left', 'right')` where the type is, or may be, an enum."""
    parts = (annotation, *getattr(annotation, "__args__", ()))
    enums = [part for part in parts if isinstance(part, type) and issubclass(part, enum.Enum)]
    values = ", ".join(repr(member.value) for one in enums for member in one)
    return f" (one of {values})" if values else ""


def _signed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Whose signature counts: of a class of nodes without an __init__ of its own there is nothing to set."""
    from horus_core.nodes.node import Node  # noqa: PLC0415 - imports much

    inherits = (
        isinstance(function, type) and issubclass(function, Node) and function.__init__ is Node.__init__
    )
    return (lambda: None) if inherits else function


def _parameter(argument: inspect.Parameter, function: Callable[..., Any], what: str) -> Parameter:
    default, unit, doc = argument.default, "", ""
    if isinstance(default, Declaration):
        default, unit, doc = default.default, default.unit, default.doc
    required = default is argument.empty
    if required:
        default = None
    wanted = _type(argument, default, function)
    if default is not None:
        found, converted = _converted(wanted, default)
        if not found:
            raise PluginError(
                f"Reading the parameters of {what} failed: expected a default of {argument.name!r} that is "
                f"{type_name(wanted)}, got {default!r}."
            )
        default = converted
    return Parameter(argument.name, wanted, default, required, unit, doc)


def _type(argument: inspect.Parameter, default: Any, function: Callable[..., Any]) -> Any:
    """The annotation; without one that can be read, the default's type."""
    annotation = argument.annotation
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, _globals(function))  # noqa: S307 - the author's own
        except Exception:  # noqa: BLE001 - it may name what only type checkers import
            annotation = argument.empty
    if annotation is not argument.empty:
        return annotation
    return Any if default is None else type(default)


def _globals(function: Callable[..., Any]) -> dict[str, Any]:
    """What the names in its annotations mean: of classes in their __init__, of partials in their function."""
    target: Any = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    found: dict[str, Any] = getattr(inspect.unwrap(getattr(target, "func", target)), "__globals__", {})
    return found


def _readings(wanted: Any, given: Given) -> list[Any]:
    """What the value may mean, the likeliest first."""
    text = given.text
    if text is None or wanted is Any:
        return [given.value]
    if wanted is str:
        return [text]
    if wanted is bool and text.lower() in ("true", "false"):
        return [text.lower() == "true"]
    try:
        return [json.loads(text), text]
    except (ValueError, RecursionError):
        return [text]


def _converted(wanted: Any, value: Any) -> tuple[bool, Any]:
    """(whether it is of that type, the value as that type)."""
    import msgspec  # noqa: PLC0415 - `import horus` stays light

    if wanted is Any:
        return True, value
    if isinstance(value, float) and not math.isfinite(value):
        return False, None
    if isinstance(value, enum.Enum) and type(value) is wanted:  # msgspec takes only those that are text
        return True, value
    try:
        return True, msgspec.convert(value, wanted, dec_hook=_decode)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError):
        return False, None


def _decode(wanted: type, value: Any) -> Any:
    """What msgspec does not know: paths; and values that are of the type already."""
    if isinstance(value, wanted):
        return value
    if issubclass(wanted, PurePath) and isinstance(value, str):
        return wanted(value)
    raise ValueError(wanted)
