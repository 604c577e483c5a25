"""Layouts: a C compiler agrees, hashes and differences, classes made from a layout."""

import copy
import enum
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from horus_core.errors import ConfigError, RegionError
from horus_core.messages import layout, registry
from horus_core.messages.fields import alias, array, bool_, f32, f64, field, i16, i64, text, u8, u16, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import control
from horus_plugins.messages.plugin import TABLES

STANDARD = tuple(cls for table in TABLES for cls in table.TYPES)
C_NAMES = {
    "i8": "int8_t", "i16": "int16_t", "i32": "int32_t", "i64": "int64_t", "u8": "uint8_t", "u16": "uint16_t",
    "u32": "uint32_t", "u64": "uint64_t", "f32": "float", "f64": "double", "bool_": "bool",
}  # fmt: skip


class Mode(enum.IntEnum):
    A = 0
    B = 1


class Odd(Message):
    a: u8 = 0
    b: f64 = 0.0
    c: u16 = field(default=0, unit="m", doc="c")
    name: str = text(3)
    d: i64 = 0
    mode: Mode = Mode.A


class Nest(Message):
    flag: bool_ = False
    odd: Odd = Odd()
    small: object = array(u8, 5, bounded=True)
    tail: u8 = 0
    odds: object = array(Odd, 3)
    names: object = array(text(5), 3, bounded=True)
    wide: object = array(f64, 2, bounded=True)
    x: f32 = 0.0
    e: i16 = 0
    short: u32 = 0
    also_d: i64 = alias("odd.d")


class Letters(Message):
    first: u64 = 0


class Eight(Message):
    letters: object = array(u8, 8)


class Loose(Message):
    """Eight bytes that need no alignment may stand anywhere, a number of eight bytes may not."""

    a: u8 = 0
    eight: Eight = Eight()
    letters: Letters = Letters()


class Bytes(Message):
    a: u8 = 0
    name: str = text(6)


class Roomy(Message, size=24):
    """Another program's struct has more at its end than we need."""

    a: u64 = 0
    b: u8 = 0


def c_struct(plan: layout.Layout, done: dict[str, str]) -> str:
    """The struct that a C programmer would write from the table of fields."""
    lines = []
    for one in plan["fields"]:
        if one["kind"] == "message":
            c_struct(one["layout"], done)
            kind = one["layout"]["name"]
        else:
            kind = "char" if one["kind"] == "text" else C_NAMES[one["kind"]]
        count = f"[{one['count']}]" if "count" in one else ""
        size = f"[{one['size']}]" if one["kind"] == "text" else ""
        if one.get("bounded"):
            lines.append(f"uint32_t {one['name']}_count;")
            kind = f"_Alignas(8) {kind}"
        lines.append(f"{kind} {one['name']}_{count}{size};")
    room = plan["size"] - layout.end(plan["fields"][-1])
    if room >= plan["align"]:
        lines.append(f"uint8_t reserved[{room}];")
    done[plan["name"]] = f"typedef struct {{ {' '.join(lines)} }} {plan['name']};"
    return done[plan["name"]]


def places(plan: layout.Layout) -> dict[str, int]:
    found = {"size": plan["size"], "align": plan["align"]}
    for one in plan["fields"]:
        found[one["name"] + "_"] = one["offset"]
        if one.get("bounded"):
            found[one["name"] + "_count"] = one["count_offset"]
    return found


# spec: A38
def test_a_c_compiler_puts_every_field_where_the_layout_says(tmp_path: Path) -> None:
    """sizeof, alignof and offsetof of all standard types and of awkward ones, printed by a compiled program."""
    compiler = shutil.which("cc")
    assert compiler is not None
    types = (Odd, Nest, Eight, Letters, Loose, Bytes, Roomy, *STANDARD)
    structs: dict[str, str] = {}
    prints = []
    for cls in types:
        name = cls.__name__
        c_struct(cls.__layout__, structs)
        for key in places(cls.__layout__):
            value = {"size": f"sizeof({name})", "align": f"_Alignof({name})"}.get(
                key, f"offsetof({name}, {key})"
            )
            prints.append(f'printf("{name} {key} %zu\\n", {value});')
    source = tmp_path / "layout.c"
    source.write_text(
        "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n"
        + "\n".join(structs.values())
        + "\nint main(void) {\n"
        + "\n".join(prints)
        + "\nreturn 0;\n}\n"
    )
    program = tmp_path / "layout"
    subprocess.run([compiler, "-std=c11", "-Wall", "-Werror", "-o", str(program), str(source)], check=True)
    printed = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    by_c: dict[str, dict[str, int]] = {}
    for line in printed.splitlines():
        name, key, number = line.split()
        by_c.setdefault(name, {})[key] = int(number)
    assert by_c == {cls.__name__: places(cls.__layout__) for cls in types}


# spec: A38
def test_a_c_program_writes_a_message_that_python_reads(tmp_path: Path) -> None:
    """The very bytes of a C struct are a CmdVel, and the other way round."""
    source = tmp_path / "write.c"
    structs: dict[str, str] = {}
    c_struct(control.CmdVel.__layout__, structs)
    source.write_text(
        "#include <stdint.h>\n#include <stdio.h>\n" + structs["CmdVel"] + "\nint main(void) {"
        "CmdVel in, out = {.timestamp_ns_ = 7, .linear_ = 1.5f, .angular_ = -0.25f};"
        "if (fread(&in, sizeof in, 1, stdin) != 1 || in.linear_ != 2.5f) return 1;"
        "return fwrite(&out, sizeof out, 1, stdout) == 1 ? 0 : 2; }"
    )
    program = tmp_path / "write"
    subprocess.run(["cc", "-std=c11", "-o", str(program), str(source)], check=True)
    message = control.CmdVel(2.5)
    done = subprocess.run([str(program)], input=bytes(message), capture_output=True, check=True)
    assert control.CmdVel.from_wire(done.stdout) == control.CmdVel(1.5, -0.25, timestamp_ns=7)


def test_layouts_are_json() -> None:
    """They survive it, with units, docs and enum members."""
    again = json.loads(json.dumps(Nest.__layout__))
    assert again == Nest.__layout__
    odd = again["fields"][1]["layout"]["fields"]
    assert odd[2] == {"name": "c", "kind": "u16", "offset": 16, "unit": "m", "doc": "c"}
    assert odd[5]["members"] == {"A": 0, "B": 1}


def test_the_hash_is_of_name_and_layout_only() -> None:
    """Units, docs, defaults, enum members and modules do not matter; names, types, order and limits do."""

    def hash_of(name: str = "T", **fields: object) -> bytes:
        said = {key: value[0] if isinstance(value, tuple) else value for key, value in fields.items()}
        values = {key: value[1] for key, value in fields.items() if isinstance(value, tuple)}
        body = {"__annotations__": said, "__module__": __name__, **values}
        return layout.type_hash(type(Message)(name, (Message,), body))

    base = hash_of(a=f32, b=f32)
    assert base == hash_of(a=(f32, field(default=1.0, unit="m", doc="x", kw_only=True)), b=(f32, 3.0))
    others = [
        hash_of("U", a=f32, b=f32), hash_of(b=f32, a=f32), hash_of(a=f32), hash_of(a=f32, b=u32),
        hash_of(a=f32, b=f32, c=f32), hash_of(a=f32, c=f32),
        hash_of(a=f32, b=(None, array(f32, 1))), hash_of(a=f32, b=(None, array(f32, 2))),
        hash_of(a=f32, b=(None, array(f32, 2, bounded=True))), hash_of(a=f32, b=(str, text(4))),
        hash_of(a=f32, b=(str, text(5))), hash_of(a=f32, b=(bool_, False)), hash_of(a=f32, b=(u8, 0)),
        hash_of(a=f32, b=(Odd, Odd())), hash_of(a=f32, b=(Bytes, Bytes())),
    ]  # fmt: skip
    assert len({base, *others}) == 1 + len(others)


# spec: F7
def test_differences_are_told_by_field() -> None:
    """Type, place, presence and nested fields, each in one line."""

    def cmd(**fields: object) -> layout.Layout:
        return type(Message)(
            "Cmd", (Message,), {"__annotations__": fields, "__module__": __name__}
        ).__layout__

    ours = cmd(linear=f32, angular=f32)
    assert layout.diff(ours, copy.deepcopy(ours)) == []
    assert layout.diff(ours, cmd(linear=f64, angular=f32)) == [
        "linear: f32 here, f64 there",
        "angular: at byte 4 here, at byte 8 there",
    ]
    assert layout.diff(ours, cmd(linear=f32, steering=f32), here="in Python", there="in the region") == [
        "angular: f32 in Python, missing in the region",
        "steering: missing in Python, f32 in the region",
    ]
    assert layout.diff(Odd.__layout__, Bytes.__layout__)[0] == "name: Odd here, Bytes there"
    other = json.loads(json.dumps(Nest.__layout__))
    other["fields"][1]["layout"]["fields"][0]["kind"] = "i8"
    other["fields"][2]["count"] = 6
    assert layout.diff(Nest.__layout__, other) == [
        "odd.a: u8 here, i8 there",
        "small: u8[<=5] here, u8[<=6] there",
    ]
    assert layout.diff(ours, {"name": "Cmd"}) == ["one of the two layouts cannot be read"]


# spec: F25
@pytest.mark.parametrize("cls", [Odd, Nest, Bytes, *STANDARD], ids=lambda cls: cls.__name__)
def test_a_class_made_from_a_layout_is_the_same_type(cls: type[Message]) -> None:
    """It has the same hash and reads the same values, and it does not push out the real class."""
    made = layout.class_from_layout(json.loads(json.dumps(cls.__layout__)))
    assert made.__type_hash__ == cls.__type_hash__
    assert repr(made.from_wire(cls().to_wire()).to_dict()) == repr(cls().to_dict())
    assert made.from_wire(cls().to_wire()) == cls()
    assert registry.by_hash(cls.__type_hash__) is cls


def broken(**changes: object) -> layout.Layout:
    plan = copy.deepcopy(Nest.__layout__)
    plan.update(changes)
    return plan


def with_field(index: int, **changes: object) -> layout.Layout:
    plan = copy.deepcopy(Nest.__layout__)
    plan["fields"][index].update(changes)
    return plan


@pytest.mark.parametrize(
    "plan",
    [
        None, [], 3, "x", {}, {"name": "A"}, {"name": "A", "fields": 3}, {"name": "A", "fields": [3]},
        broken(name="a b"), broken(name=3), broken(size=8), broken(fields=[]), with_field(0, kind="f128"),
        with_field(0, kind="text"), with_field(0, name="__class__"), with_field(0, name="to_dict"),
        with_field(0, name=5), with_field(0, offset=4), with_field(1, layout={}), with_field(1, layout=None),
        with_field(2, count=-1), with_field(2, count=2**40), with_field(2, count="5"), with_field(2, count_offset=0),
        with_field(0, members={"A": "x"}), with_field(0, members=3), with_field(5, size=0), with_field(5, size=-4),
    ],
)  # fmt: skip
def test_a_senseless_layout_is_a_region_error(plan: object) -> None:
    """What stands in a region may be anything; the interpreter survives and says what is wrong."""
    with pytest.raises(RegionError, match="Cannot make a message class"):
        layout.class_from_layout(plan)


def test_endless_nesting_is_a_region_error() -> None:
    """A layout that is nested a thousand times does not exhaust the stack."""
    plan: layout.Layout = {"name": "A", "size": 1, "align": 1, "fields": []}
    for _ in range(1000):
        entry = {"name": "a", "kind": "message", "offset": 0, "layout": plan}
        plan = {"name": "A", "size": 1, "align": 1, "fields": [entry]}
    with pytest.raises(RegionError):
        layout.class_from_layout(plan)


def test_a_class_without_fields_has_no_layout() -> None:
    """Asking for it says so."""
    with pytest.raises(ConfigError, match="expected at least one field"):
        layout.of(Message)
    assert layout.wire_max(Bytes) == 8
    assert layout.of(Bytes)["size"] == Bytes.__size__ == 7
    assert Bytes.__layout__["fields"][0] == {"name": "a", "kind": "u8", "offset": 0}
    assert u64 is not None


def test_a_size_keeps_room_at_the_end() -> None:
    """For structs of other programs that have more there; it travels as zeros, and is a part of the type."""

    class Plain(Message):
        a: u64 = 0
        b: u8 = 0

    assert (Plain.__size__, Roomy.__size__, len(Roomy(1, 2).to_wire())) == (16, 24, 24)
    assert Roomy(1, 2).to_wire()[9:] == bytes(15)
    made = layout.class_from_layout(Roomy.__layout__)
    assert made.__type_hash__ == Roomy.__type_hash__
    assert made.from_wire(Roomy(1, 2).to_wire()).to_dict() == {"a": 1, "b": 2}

    class Longer(Roomy):
        c: u64 = 0

    assert (Longer.__size__, Longer.__layout__["fields"][-1]["offset"]) == (24, 16)


@pytest.mark.parametrize("size", [8, 17, 0, -8, True, 24.0, "24", 1 << 40])
def test_a_size_that_cannot_be_is_refused(size: object) -> None:
    """Less than the fields take, what C would not align, what is no number, and what is too large."""
    body = {"__annotations__": {"a": u64, "b": u8}, "a": 0, "b": 0, "__module__": __name__}
    with pytest.raises(ValueError, match=r"Bad: expected a (size of 16 or more|message of at most)"):
        type(Message)("Bad", (Message,), body, size=size)
