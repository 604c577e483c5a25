"""A launch file, read: YAML, each value with its place. What is wrong with it as YAML is told here."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import yaml

from horus_core.errors import LaunchError
from horus_plugins.launch.file import scalars
from horus_plugins.launch.file.problems import Place, shown
from horus_plugins.launch.file.values import Entry, Mapping, Scalar, Sequence, Value

if TYPE_CHECKING:
    from pathlib import Path

    from horus_plugins.launch.file.problems import Problems

MAX_BYTES = 1 << 20
"""Of a file; people write some kilobytes."""
MAX_VALUES = 100_000
"""Of a file with its aliases written out: a few lines of them can stand for billions."""
MAX_DEPTH = 50
_MERGE = "<<"
_WORD, _QUOTED = "word", "quoted"
_TAG = "tag:yaml.org,2002:"
_TEXT, _INT, _FLOAT, _BOOL, _NULL = (_TAG + kind for kind in ("str", "int", "float", "bool", "null"))


class _Loader(yaml.SafeLoader):
    """Leaves unquoted words as they are written: what they are, scalars.resolve says."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag of what has none: of a scalar, whether it is a bare word."""
        if kind is yaml.ScalarNode:
            return _WORD if implicit[0] else _QUOTED
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]  # in the stubs


class _Stop(Exception):  # noqa: N818 - not an error of its own: the problem is noted
    """The file cannot be made sense of any further."""


def read(path: Path, name: str, problems: Problems) -> Mapping | None:
    """The mapping that the file is; None when it is none, which is noted among the problems, as all else is."""
    here = Place(name, 0, 0)
    try:
        text = _text(path)
    except (OSError, LaunchError, UnicodeDecodeError) as error:
        problems.add(here, _why(error))
        return None
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        problems.add(_place(name, error.problem_mark or error.context_mark), _syntax(error, text))
        return None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problems.add(here, f"expected YAML, got what cannot be read as it: {_first_line(error)}.")
        return None
    if node is None:
        problems.add(here, "expected keys such as `nodes:`, got an empty file.")
        return None
    return _constructed(node, name, problems)


def _constructed(node: yaml.Node, name: str, problems: Problems) -> Mapping | None:
    try:
        value = _Constructor(name, problems).value(node, 0)
    except _Stop:
        return None
    if not isinstance(value, Mapping):
        problems.add(
            value.place, f"expected keys such as `nodes:`, got {_kind(value)}: {shown(value.plain())}."
        )
        return None
    return value


def _text(path: Path) -> str:
    if stat.S_ISDIR(path.stat().st_mode):
        raise LaunchError("expected a launch file, got a directory. Name the file in it.")
    if not path.is_file():
        raise LaunchError("expected a launch file, got a device or a pipe.")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise LaunchError(
            f"expected at most {MAX_BYTES >> 20} MiB, got a file of {path.stat().st_size} bytes."
        )
    if b"\0" in data:
        raise LaunchError("expected text, got a binary file.")
    return data.decode("utf-8-sig")


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"expected text in UTF-8, got {error.object[error.start : error.start + 1]!r} at byte {error.start}."
    if isinstance(error, FileNotFoundError):
        return "expected a launch file, got no such file. Check its name and the folder."
    if isinstance(error, OSError):
        return f"expected a launch file that can be read, got: {error.strerror}."
    return str(error)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else "the end of the file"
    said = ", ".join(part for part in (error.context, error.problem) if part)
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in said:
        return "expected blanks, got a tab: YAML takes none for indentation. Replace it with blanks."
    if "single document" in said:
        return "expected one document, got a second one after `---`. A launch file is one document."
    return f"expected YAML, got {shown(line.strip())} ({said})."


def _first_line(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]


def _place(name: str, mark: Any) -> Place:
    return Place(name, 0, 0) if mark is None else Place(name, mark.line + 1, mark.column + 1)


def _kind(value: Value) -> str:
    return "a list" if isinstance(value, Sequence) else "one value"


class _Constructor:
    """Makes values of the nodes of one file."""

    def __init__(self, name: str, problems: Problems) -> None:
        self._name = name
        self._problems = problems
        self._count = 0

    def value(self, node: yaml.Node, depth: int) -> Value:
        place = _place(self._name, node.start_mark)
        self._count += 1
        if self._count > MAX_VALUES:
            self._stop(place, f"expected at most {MAX_VALUES} values, aliases written out, got more.")
        if depth > MAX_DEPTH:
            self._stop(place, f"expected at most {MAX_DEPTH} levels, got more: does an alias contain itself?")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        self._require_no_tag(node, place)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(place, tuple(self.value(item, depth + 1) for item in node.value))
        assert isinstance(node, yaml.MappingNode)
        return self._mapping(node, place, depth)

    def _stop(self, place: Place, text: str) -> None:
        self._problems.add(place, text)
        raise _Stop

    def _require_no_tag(self, node: yaml.Node, place: Place) -> None:
        if node.tag not in (_TAG + "seq", _TAG + "map"):
            self._problems.add(place, f"expected no tag on a list or mapping, got {_tag(node.tag)}.")

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Scalar:
        text: str = node.value
        try:
            if "\0" in text:
                raise ValueError("expected text without NUL characters, got one.")  # noqa: TRY301 - told like the rest
            value = text if node.tag == _QUOTED else _as_tagged(node.tag, text)
        except ValueError as error:
            self._problems.add(place, str(error))
            return Scalar(place, text, text, broken=True)
        return Scalar(place, value, text, is_text=node.tag == _TEXT)

    def _mapping(self, node: yaml.MappingNode, place: Place, depth: int) -> Mapping:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            key_place = _place(self._name, key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problems.add(key_place, "expected a name as the key, got a list or a mapping.")
                continue
            key = key_node.value
            value = self.value(value_node, depth + 1)
            if key == _MERGE and key_node.tag == _WORD:
                self._merge(value, merged)
            elif key in own:
                self._problems.add(
                    key_place,
                    f"expected each key once, got {key!r} again: it stands in line {own[key].place.line}, too.",
                )
            else:
                own[key] = Entry(key_place, value)
        return Mapping(place, {**{k: e for k, e in merged.items() if k not in own}, **own})

    def _merge(self, value: Value, into: dict[str, Entry]) -> None:
        for one in value.items if isinstance(value, Sequence) else (value,):
            if isinstance(one, Mapping):
                for key, entry in one.entries.items():
                    into.setdefault(key, entry)
            else:
                self._problems.add(
                    one.place, f"expected a mapping, or a list of them, to merge, got {shown(one.plain())}."
                )


def _as_tagged(tag: str, text: str) -> Any:
    """What a bare word is, or `!!int 5` and its like. Raises ValueError for other tags, and texts that are none."""
    if tag == _TEXT:
        return text
    value = scalars.resolve(text)
    if tag == _WORD:
        return value
    fits = {_INT: (int,), _FLOAT: (int, float), _BOOL: (bool,), _NULL: (type(None),)}
    if tag not in fits:
        raise ValueError(
            f"expected a plain value, got one with the tag {_tag(tag)}, which launch files do not know."
        )
    if not isinstance(value, fits[tag]) or (isinstance(value, bool) and tag != _BOOL):
        raise ValueError(f"expected what the tag {_tag(tag)} says, got {shown(text)}.")
    return float(value) if tag == _FLOAT and isinstance(value, int) else value


def _tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag
