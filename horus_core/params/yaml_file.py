"""Parameters in YAML: names and values with their lines. Scalars are read as in the environment.

What JSON writes as a number, true or false is that, all else text: `on`, `010`, `1:30` and `2026-01-31` are no
surprises. A parameter that is declared as text gets what stands in the file, `1e5` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from horus_core.params import env

if TYPE_CHECKING:
    from collections.abc import Iterator


class Found(NamedTuple):
    """One name and its value."""

    line: int
    name: str
    value: Any
    text: str | None
    """As it was written, for a scalar without quotes."""


class Problem(Exception):  # noqa: N818 - it is collected, and raised by none
    """What is wrong, and in which line."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


_TEXT, _MAP, _LIST = "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"
_MOST_VALUES = 20_000


def read(text: str, table: str = "") -> Iterator[Found | Problem]:
    """The names and values at the top, or of a mapping at the top; what is wrong comes in between."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        yield Problem(mark.line + 1 if mark else 1, f"expected YAML, got {error.problem}.")
        return
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        yield Problem(1, f"expected YAML, got {str(error).splitlines()[0]}.")
        return
    if table and isinstance(root, yaml.MappingNode):
        root = next((value for key, value in root.value if key.value == table), None)
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        return
    if not isinstance(root, yaml.MappingNode):
        yield Problem(_line(root), "expected names and values, `max_speed: 1.5`.")
        return
    yield from _entries(root)


class _Loader(yaml.SafeLoader):
    """No implicit types: who reads the scalars decides."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as the base class has it


def _entries(root: yaml.MappingNode) -> Iterator[Found | Problem]:
    seen: dict[str, int] = {}
    left = [_MOST_VALUES]
    for key, node in root.value:
        line = _line(key)
        if not isinstance(key, yaml.ScalarNode):
            yield Problem(line, "expected a name, got a list or a mapping.")
        elif key.value in seen:
            yield Problem(line, f"expected each name once, got {key.value!r} again (line {seen[key.value]}).")
        else:
            seen[key.value] = line
            try:
                value = _value(node, left)
            except Problem as problem:
                yield problem
            except RecursionError:
                yield Problem(line, f"expected a value of {key.value!r}, got one that is nested too deep.")
            else:
                plain = isinstance(node, yaml.ScalarNode) and node.style is None
                yield Found(line, key.value, value, node.value if plain else None)


def _value(node: yaml.Node, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:  # a few lines of aliases may stand for billions
        raise Problem(_line(node), f"expected at most {_MOST_VALUES} values.")
    if isinstance(node, yaml.ScalarNode) and node.tag == _TEXT:
        if node.style is not None:
            return node.value
        if node.value in ("", "null", "~"):
            raise Problem(
                _line(node), 'expected a value, got none. Leave the name out, or write "" for no text.'
            )
        return env.parse(node.value)
    if isinstance(node, yaml.SequenceNode) and node.tag == _LIST:
        return [_value(one, left) for one in node.value]
    if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
        return {_key(key): _value(one, left) for key, one in node.value}
    raise Problem(_line(node), f"expected a number, true, false, text, a list or a mapping, got {node.tag}.")


def _key(key: yaml.Node) -> str:
    if isinstance(key, yaml.ScalarNode):
        return str(key.value)
    raise Problem(_line(key), "expected text before the colon, got a list or a mapping.")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
