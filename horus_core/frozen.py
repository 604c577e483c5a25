"""Values with named fields, made once and never changed, as `@dataclass(frozen=True)` makes them.

Nothing is compiled for a class, and little imported: in every process that runs a node `dataclasses` takes 6 ms, and
0.3 to 0.5 ms more for each class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import inspect

    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_said: object) -> Any:
        """Stand in for what only type checkers look at."""
        return lambda cls: cls


class _Signature:
    """What help() and editors show of such a class."""

    def __get__(self, _value: object, cls: type[Frozen]) -> inspect.Signature:
        from inspect import Parameter, Signature  # noqa: PLC0415 - only for who asks

        kind = Parameter.POSITIONAL_OR_KEYWORD
        return Signature(
            [Parameter(name, kind, default=getattr(cls, name, Parameter.empty)) for name in cls.fields_]
        )


@dataclass_transform(frozen_default=True)
class Frozen:
    """The annotations of a class are its fields, in order; what is assigned to one in the class is its default."""

    fields_: ClassVar[tuple[str, ...]] = ()
    """The names of the fields."""
    compared_: ClassVar[tuple[str, ...]] = ()
    """Those by which two values of a class are equal; all, where the class does not say."""
    __signature__ = _Signature()

    def __init_subclass__(cls) -> None:
        cls.fields_ = tuple(cls.__annotations__)
        cls.compared_ = vars(cls).get("compared_", cls.fields_)

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self.fields_
        given = dict(zip(fields, values, strict=False))
        wrong = [name for name in named if name in given or name not in fields]
        if wrong or len(values) > len(fields):
            got = f"{wrong[0]}=" if wrong else f"{len(values)} values"
            raise TypeError(f"Bad {type(self).__name__}: expected {', '.join(fields)}, once each, got {got}.")
        given |= named
        missing = [name for name in fields if name not in given and not hasattr(type(self), name)]
        if missing:
            raise TypeError(
                f"Bad {type(self).__name__}: expected a value for {', '.join(missing)}, got none."
            )
        for name in fields:
            self.__dict__[name] = given[name] if name in given else getattr(type(self), name)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Refuse what is wrong; for subclasses."""

    def but(self, **changes: Any) -> Self:
        """The same with other values for some fields."""
        return type(self)(**{**self.__dict__, **changes})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is never changed: {name} = {value!r}.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is never changed: del {name}.")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash(self._compared())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.fields_)
        return f"{type(self).__qualname__}({shown})"

    def _compared(self) -> tuple[object, ...]:
        return tuple(self.__dict__[name] for name in self.compared_)
