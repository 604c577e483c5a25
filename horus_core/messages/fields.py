"""What a user writes in a message class: the types of values, and what a field can be told.

class Scan(horus.Message, topic="scan"):
    timestamp_ns: horus.u64 = horus.field(default=0, kw_only=True)
    frame_id: str = horus.text(32)
    ranges: NDArray[np.float32] = horus.array(horus.f32, 4096, bounded=True, unit="m")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence


# ruff: noqa: PYI042 - f32 and u8 are what the field calls them


class Scalar:
    """The marker inside `horus.f32` and its kin that says how the value is stored."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"horus.{self.kind}"


i8: TypeAlias = Annotated[int, Scalar("i8")]
i16: TypeAlias = Annotated[int, Scalar("i16")]
i32: TypeAlias = Annotated[int, Scalar("i32")]
i64: TypeAlias = Annotated[int, Scalar("i64")]
u8: TypeAlias = Annotated[int, Scalar("u8")]
u16: TypeAlias = Annotated[int, Scalar("u16")]
u32: TypeAlias = Annotated[int, Scalar("u32")]
u64: TypeAlias = Annotated[int, Scalar("u64")]
f32: TypeAlias = Annotated[float, Scalar("f32")]
f64: TypeAlias = Annotated[float, Scalar("f64")]
bool_: TypeAlias = Annotated[bool, Scalar("bool_")]

SCALARS: Final[dict[str, Any]] = {
    "i8": i8, "i16": i16, "i32": i32, "i64": i64,
    "u8": u8, "u16": u16, "u32": u32, "u64": u64,
    "f32": f32, "f64": f64, "bool_": bool_,
}  # fmt: skip
SIZES: Final = {
    "i8": 1, "i16": 2, "i32": 4, "i64": 8,
    "u8": 1, "u16": 2, "u32": 4, "u64": 8,
    "f32": 4, "f64": 8, "bool_": 1,
}  # fmt: skip


class Missing:
    """The type of MISSING, which stands for "no default": the argument is required."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class FieldSpec:
    """What was said about a field besides its annotation. Made by field, array, text and alias."""

    __slots__ = (
        "bounded",
        "count",
        "default",
        "doc",
        "element",
        "kw_only",
        "path",
        "storage",
        "text_size",
        "unit",
    )

    def __init__(
        self,
        *,
        default: object = MISSING,
        unit: str = "",
        doc: str = "",
        kw_only: bool = False,
        storage: object = None,
        element: object = None,
        count: int | None = None,
        bounded: bool = False,
        text_size: int | None = None,
        path: str | None = None,
    ) -> None:
        self.default = default
        self.unit = unit
        self.doc = doc
        self.kw_only = kw_only
        self.storage = storage
        self.element = element
        self.count = count
        self.bounded = bounded
        self.text_size = text_size
        self.path = path


def field(
    *,
    default: Any = MISSING,
    unit: str = "",
    doc: str = "",
    kw_only: bool = False,
    storage: object = None,
) -> Any:
    """Say more about a field: its default, unit (`m/s`), one sentence of doc, and whether it is keyword-only.

    Without a default the argument is required. `storage` is how an enum is stored (`horus.u8`; default
    `horus.i32`, as a C enum).
    """
    return FieldSpec(default=default, unit=unit, doc=doc, kw_only=kw_only, storage=storage)


def array(
    element: object,
    count: int,
    *,
    bounded: bool = False,
    default: Sequence[object] | None = None,
    unit: str = "",
    doc: str = "",
    storage: object = None,
) -> Any:
    """Declare an array inside the message, of `count` elements or, when bounded, of at most `count`.

    Elements are scalars (`horus.f32`; read as a numpy view of the message's own bytes), enums, messages or
    `horus.text(n)` (these three read as tuples). The default is zeros, or empty when bounded. `storage` is
    how enums are stored, as in `field`.
    """
    return FieldSpec(
        default=default, unit=unit, doc=doc, element=element, count=count, bounded=bounded, storage=storage
    )


def text(capacity: int, *, default: str = "", doc: str = "") -> Any:
    """Declare text of up to `capacity - 1` bytes of UTF-8, stored as `char[capacity]` with a final NUL."""
    return FieldSpec(default=default, doc=doc, text_size=capacity)


def alias(path: str, *, unit: str = "", doc: str = "") -> Any:
    """Declare another name of a value inside the message: `"pose.x"`, `"linear_acceleration[0]"`.

    It reads, writes and is a keyword of the constructor, but has no bytes of its own.
    """
    return FieldSpec(path=path, unit=unit, doc=doc, kw_only=True)
