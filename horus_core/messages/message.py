"""`horus.Message`: the base of all typed messages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from horus_core import _native
from horus_core.messages import registry
from horus_core.messages.definition import define
from horus_core.messages.fields import field
from horus_core.names import topic_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self, dataclass_transform
elif sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:  # only type checkers look at it

    def dataclass_transform(**_said: object) -> Any:
        """Stand in for the one of Python 3.11."""
        return lambda cls: cls


@dataclass_transform(field_specifiers=(field,))
class Message(_native.MessageBase, metaclass=_native.MessageMeta):
    """A message of fixed layout, whose fields are the annotations of the class.

    Messages hold their bytes inline, compare with `==`, pickle, copy, and are always true. They are mutable,
    so they have no hash. A nested message reads as a part of the outer one: writing to the part changes the
    whole. Fields compare as numbers and text do, except that a NaN equals the same NaN.

    `class A(Message, topic="a")` gives the class a default topic; `size=72` keeps room at the end, for what other
    programs' structs have there.
    """

    __topic__: ClassVar[str | None] = None
    """The default topic of the class."""
    __layout__: ClassVar[dict[str, Any]]
    """Where each field lies; see horus_core.messages.layout."""

    def __init_subclass__(cls, *, topic: str | None = None, size: int | None = None, **more: object) -> None:
        try:
            super().__init_subclass__(**more)
        except TypeError:
            if not more:
                raise
            shown = ", ".join(f"{key}=" for key in more)
            raise TypeError(
                f"{cls.__name__}: expected no class keyword but topic= and size=, got {shown}."
            ) from None
        cls.__topic__ = None if topic is None else topic_name(topic)
        if define(cls, size) and "__generated__" not in cls.__dict__:
            registry.register(cls)

    def is_valid(self) -> bool:
        """Whether the values make sense; classes that can tell override this."""
        return True

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a message from what `to_dict` gave, or from a part of it: the rest has its default.

        Raises TypeError for anything else.
        """
        if not hasattr(values, "items"):
            raise TypeError(
                f"{cls.__name__}.from_dict: expected a dict of fields and values, got {values!r}. Give what "
                f"to_dict() returned, or a part of it."
            )
        return cls(**{name: _from_plain(cls, name, value) for name, value in values.items()})


def _from_plain(cls: type[Message], name: str, value: Any) -> Any:
    descriptor = next((one for one in cls.__descriptors__ if one.name == name), None)
    if descriptor is None:
        raise _unknown_field(cls, name)
    of = descriptor.type
    if isinstance(of, _native.MessageMeta):
        build = of.from_dict  # type: ignore[attr-defined]
        if isinstance(value, dict):
            return build(value)
        if isinstance(value, (list, tuple)):
            return [build(item) if isinstance(item, dict) else item for item in value]
    elif of is not None and isinstance(value, str):
        return of[value]
    return value


def _unknown_field(cls: type, name: object) -> TypeError:
    """Return the error for a name that is no field; the C core calls this, too."""
    from difflib import get_close_matches  # noqa: PLC0415 - only when something is wrong

    names = [one.name for one in getattr(cls, "__descriptors__", ())]
    close = get_close_matches(str(name), names, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else "Remove it."
    return TypeError(f"{cls.__name__}: expected one of {', '.join(names)}, got '{name}'. {hint}")


def _restore(cls: type[Message], type_hash: bytes, wire: bytes) -> Message:
    """Unpickle a message."""
    if cls.__type_hash__ != type_hash:
        raise TypeError(
            f"Cannot unpickle a {cls.__name__}: expected the layout it was pickled with, got another. "
            f"The class has changed since."
        )
    return cls.from_wire(wire)
