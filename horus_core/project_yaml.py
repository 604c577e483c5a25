"""A project's settings in YAML: mappings of texts and lists of texts. What else stands in the file is others'."""

from __future__ import annotations

from typing import Any

import yaml

_DEEPEST = 3
"""A table, its keys, and a list: aliases may make a few lines of what is deeper billions of values."""


class NoTables(Exception):  # noqa: N818 - it becomes a ConfigError
    """What is wrong with the file, and in which line."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def tables(text: str) -> dict[str, Any]:
    """The mappings at the top, each scalar as it is written, nothing as None. Raises NoTables for what is no YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NoTables(mark.line + 1 if mark else 1, f"expected YAML, got {error.problem}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NoTables(1, f"expected YAML, got {str(error).splitlines()[0]}.") from error
    found = {} if root is None else _plain(root, 0, {})
    if found is None:  # comments and ---
        return {}
    if not isinstance(found, dict):
        raise NoTables(1, "expected names and values, `scripts:` and below it `drive: drive.py`.")
    return found


def _plain(node: yaml.Node, depth: int, seen: dict[tuple[int, int], Any]) -> Any:
    key = (id(node), depth)
    if key not in seen:
        seen[key] = _made(node, depth, seen)
    return seen[key]


def _made(node: yaml.Node, depth: int, seen: dict[tuple[int, int], Any]) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag.endswith(":null") else node.value
    if depth == _DEEPEST:
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, depth + 1, seen) for one in node.value]
    found: dict[str, Any] = {}
    for name, value in node.value:
        if isinstance(name, yaml.ScalarNode) and name.value in found:
            line = name.start_mark.line + 1
            raise NoTables(line, f"expected each name once, got {name.value!r} again.")
        if isinstance(name, yaml.ScalarNode):
            found[name.value] = _plain(value, depth + 1, seen)
    return found
