"""The C core of HORUS."""

from typing import Any, ClassVar, final

from typing_extensions import Buffer, Self

@final
class FieldDescriptor:
    """A value inside a message, at a fixed offset, as an attribute of the message's class."""

    name: str
    kind: str
    unit: str
    doc: str
    type: Any
    offset: int
    size: int
    capacity: int
    count_offset: int
    kw_only: bool
    required: bool
    alias: bool
    def __new__(
        cls,
        name: str,
        kind: str,
        offset: int,
        *,
        shape: str = "one",
        count: int = 1,
        count_offset: int = 0,
        size: int = 0,
        type: Any = None,  # noqa: A002
        members: dict[int, Any] | None = None,
        unit: str = "",
        doc: str = "",
        kw_only: bool = False,
        required: bool = False,
        alias: bool = False,
    ) -> Self: ...
    def __get__(self, instance: object, owner: type | None = None, /) -> Any: ...
    def __set__(self, instance: object, value: Any, /) -> None: ...

@final
class MessageMeta(type):
    """The type of message classes."""

    @property
    def __size__(self) -> int: ...
    @property
    def __wire_max__(self) -> int: ...
    @property
    def __type_hash__(self) -> bytes | None: ...
    @property
    def __descriptors__(self) -> tuple[FieldDescriptor, ...]: ...

class MessageBase:
    """What typed messages are made of; inherit from horus.Message instead."""

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def to_dict(self) -> dict[str, Any]: ...
    def to_wire(self) -> bytes: ...
    @classmethod
    def from_wire(cls, wire: Buffer, /) -> Self: ...
    def copy(self) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

def define_message(
    cls: MessageMeta,
    fields: tuple[FieldDescriptor, ...],
    size: int,
    type_hash: bytes,
    defaults: dict[str, Any],
    /,
) -> None:
    """Give a new message class its fields and its plan."""
