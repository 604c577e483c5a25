"""What the annotations of a message class mean."""

from __future__ import annotations

import enum
import importlib
import sys
import types
import typing
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from horus_core import _native
from horus_core.messages.fields import MISSING, SIZES, FieldSpec, Scalar
from horus_core.messages.layout import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LAZY = sys.version_info >= (3, 14)
_ACCEPTED = "horus.f32, f64, i8 to i64, u8 to u64, bool_, an enum or a message class"
_HINTS = {
    float: "Use horus.f64 or horus.f32.",
    int: "Use horus.i32, u8 or another integer of a fixed size.",
    bool: "Use horus.bool_.",
    str: "Give it a capacity: `= horus.text(32)`.",
    list: "Use `= horus.array(horus.f64, 10, bounded=True)`.",
}
_INTEGERS = tuple(kind for kind in SIZES if kind[0] in "iu")


class Annotated(NamedTuple):
    """A field as the class body has it."""

    annotation: Any
    spec: FieldSpec


class _Kind(NamedTuple):
    kind: str
    size: int
    align: int
    type: Any = None


def fail(cls: type, name: str, text: str, hint: str = "") -> NoReturn:
    """Raise the error of a class definition."""
    raise TypeError(f"{cls.__name__}.{name}: {text}. {hint}".rstrip())


def own_fields(cls: type, inherited: Mapping[str, object]) -> dict[str, Annotated]:
    """Return the fields that the class body itself declares, in order."""
    fields = {}
    for name, annotation in _declared(cls).items():
        if _is_class_variable(annotation):
            continue
        value = cls.__dict__.get(name, MISSING)
        spec = value if isinstance(value, FieldSpec) else FieldSpec(default=value)
        _check_name(cls, name, inherited)
        _check_words(cls, name, spec)
        fields[name] = Annotated(annotation, spec)
    for name, value in cls.__dict__.items():
        if isinstance(value, FieldSpec) and name not in fields:
            fail(cls, name, "expected an annotation, got none", f"Write `{name}: ... = ...`.")
    return fields


def _declared(cls: type) -> dict[str, Any]:
    """The annotations of the class body; what cannot be evaluated there is text, as its source is.

    From Python 3.14 on a class has a function in their place (PEP 649), but where its module imports
    `annotations` from `__future__`, or whoever made it by calling its metaclass gave them.
    """
    own = cls.__dict__.get("__annotations__")  # noqa: RUF063 - inspect costs 8 ms to import
    if own is None and _LAZY:
        lib = importlib.import_module("annotationlib")
        own = lib.get_annotations(cls, format=lib.Format.FORWARDREF)
    return {
        name: one.__forward_arg__ if isinstance(one, typing.ForwardRef) else one
        for name, one in (own or {}).items()
    }


def value_of(cls: type, name: str, field: Annotated) -> tuple[Value, Any]:
    """Return the field as a value to be placed, and its enum or message class."""
    spec = field.spec
    elements, bounded = None, False
    if spec.element is not None:
        if not isinstance(spec.count, int) or isinstance(spec.count, bool) or spec.count < 1:
            fail(cls, name, f"expected a number of elements above 0, got {spec.count!r}")
        kind = _element(cls, name, spec)
        elements, bounded = spec.count, spec.bounded
    elif spec.text_size is not None:
        kind = _text(cls, name, spec)
    else:
        kind = _kind(cls, name, _evaluate(cls, name, field.annotation), spec)
    nested = kind.type.__layout__ if kind.kind == "message" else None
    members = {one.name: one.value for one in kind.type} if kind.type and nested is None else None
    value = Value(
        name,
        kind.kind,
        kind.size,
        kind.align,
        elements,
        bounded,
        spec.unit,
        spec.doc,
        spec.kw_only,
        members,
        nested,
    )
    return value, kind.type


def _check_name(cls: type, name: str, inherited: Mapping[str, object]) -> None:
    if name.startswith("_") or not name.isidentifier():
        fail(
            cls, name, "expected a name that does not start with '_'", "Class variables are `ClassVar[...]`."
        )
    if name in inherited:
        fail(cls, name, "expected a new name, got that of an inherited field")
    if any(name in base.__dict__ for base in cls.__mro__[1:]):
        fail(cls, name, "expected a name of its own, got that of a method or attribute of its base")


def _check_words(cls: type, name: str, spec: FieldSpec) -> None:
    for what, said in (("unit", spec.unit), ("doc", spec.doc)):
        if not isinstance(said, str) or not _is_utf8(said):  # they go into the region's description
            fail(cls, name, f"expected text that UTF-8 can encode as {what}, got {said!a}")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _element(cls: type, name: str, spec: FieldSpec) -> _Kind:
    element = spec.element
    if isinstance(element, FieldSpec) and element.text_size is not None:
        return _text(cls, name, element)
    kind = _kind(cls, name, element, spec)
    if spec.bounded and kind.kind == "message" and _has_bounded(kind.type.__layout__):
        fail(
            cls, name, f"expected elements of one size in a bounded array, got {kind.type.__name__}",
            "It has a bounded array itself; make one of the two a fixed array.",
        )  # fmt: skip
    return kind


def _has_bounded(layout: Mapping[str, Any]) -> bool:
    return any(
        one.get("bounded") or _has_bounded(one.get("layout", {"fields": ()})) for one in layout["fields"]
    )


def _text(cls: type, name: str, spec: FieldSpec) -> _Kind:
    size = spec.text_size
    if not isinstance(size, int) or isinstance(size, bool) or size < 2:  # noqa: PLR2004 - a byte and its NUL
        fail(cls, name, f"expected a capacity of at least 2 bytes, got {size!r}")
    return _Kind("text", size, 1)


def _kind(cls: type, name: str, annotation: Any, spec: FieldSpec) -> _Kind:
    for said in getattr(annotation, "__metadata__", ()):
        if isinstance(said, Scalar):
            return _Kind(said.kind, SIZES[said.kind], SIZES[said.kind])
    if isinstance(annotation, _native.MessageMeta):
        if not annotation.__type_hash__:
            fail(cls, name, f"expected a message class with fields, got {annotation.__name__}")
        layout = annotation.__layout__
        return _Kind("message", layout["size"], layout["align"], annotation)
    of = _enum_in(annotation)
    if of is not None:
        return _enum(cls, name, of, spec)
    shown = getattr(annotation, "__name__", None) or str(annotation)
    fail(
        cls,
        name,
        f"expected {_ACCEPTED}, got {shown}",
        _HINTS.get(
            annotation if isinstance(annotation, type) else object, "Arrays are `= horus.array(...)`."
        ),
    )


def _enum_in(annotation: Any) -> type[enum.Enum] | None:
    """Return the enum of `Mode` or of `Mode | int`."""
    options = [annotation]
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        options = [one for one in typing.get_args(annotation) if one is not int]
    is_enum = len(options) == 1 and isinstance(options[0], type) and issubclass(options[0], enum.Enum)
    return options[0] if is_enum else None


def _enum(cls: type, name: str, of: type[enum.Enum], spec: FieldSpec) -> _Kind:
    kind = "i32"
    if spec.storage is not None:
        said = [one.kind for one in getattr(spec.storage, "__metadata__", ()) if isinstance(one, Scalar)]
        kind = said[0] if said else ""
    if kind not in _INTEGERS:
        fail(cls, name, f"expected an integer type such as horus.u8 as storage, got {spec.storage!r}")
    bits = SIZES[kind] * 8
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0] == "i" else (0, (1 << bits) - 1)
    for member in of:
        if not isinstance(member.value, int) or not low <= member.value <= high:
            fail(cls, name, f"expected an enum of integers that fit {kind}, got {of.__name__}.{member.name}")
    return _Kind(kind, SIZES[kind], SIZES[kind], of)


def _is_class_variable(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.removeprefix("typing.").startswith("ClassVar")
    return annotation is typing.ClassVar or typing.get_origin(annotation) is typing.ClassVar


def _evaluate(cls: type, name: str, annotation: Any) -> Any:
    if not isinstance(annotation, str):
        return annotation
    failure: Exception | None = None
    for global_names, local_names in _namespaces(cls):
        try:
            return eval(annotation, global_names, local_names)  # noqa: S307 - the class's own source
        except NameError as error:  # noqa: PERF203 - once a field, when the class is defined
            failure = error
        except Exception as error:  # noqa: BLE001 - any: what is written there is anybody's
            failure = error
            break
    fail(
        cls, name, f"expected an annotation that can be evaluated, got '{annotation}': {failure}",
        "Import the type outside `if TYPE_CHECKING`.",
    )  # fmt: skip


def _namespaces(cls: type) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Where names may be found: the class's body and module, then the functions it is being defined in."""
    module = sys.modules.get(cls.__module__)
    if module is not None:
        yield module.__dict__, dict(cls.__dict__)
    frame: types.FrameType | None = sys._getframe(1)  # the only way to a function's local names
    while frame is not None:
        if frame.f_globals.get("__name__") == cls.__module__:
            yield frame.f_globals, {**frame.f_locals, **cls.__dict__}
        frame = frame.f_back
