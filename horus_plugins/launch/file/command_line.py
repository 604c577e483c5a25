"""A command of a launch file, split into words as a shell would, but for no shell.

It is split before its references are replaced: a path with blanks that `${MAP}` brings in stays one word.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from horus_plugins.launch.file.problems import shown
from horus_plugins.launch.file.substitution import substitute
from horus_plugins.launch.file.values import Scalar, Sequence, Value

if TYPE_CHECKING:
    from horus_plugins.launch.file.problems import Problems
    from horus_plugins.launch.file.substitution import Scope

_SHELL = {"&&", "||", "|", ";", "&", ">", ">>", "<", "<<", "2>", "2>&1", "&>"}
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


def words(value: Value, scope: Scope, problems: Problems) -> Value:
    """The command as a list of words, replaced. A reference to an empty text is no word."""
    if not isinstance(value, Scalar) or not isinstance(value.value, str) or value.broken:
        return substitute(value, scope, problems)
    try:
        split = shlex.split(value.value)
        _require_no_shell(split)
    except ValueError as error:
        said = str(error)
        if not said.startswith("expected"):  # shlex's own
            said = f"expected a command line, got {shown(value.value)} ({said}). Close the quotes."
        problems.add(value.place, said)
        return Scalar(value.place, value.value, value.text, broken=True)
    replaced = [(word, substitute(Scalar(value.place, word, word), scope, problems)) for word in split]
    kept = [one for word, one in replaced if not word or not isinstance(one, Scalar) or one.text]
    return Sequence(value.place, tuple(_as_text(one) for one in kept))


def _as_text(word: Value) -> Value:
    if isinstance(word, Scalar):
        return Scalar(word.place, word.text, word.text, broken=word.broken)
    text = str(word.plain())
    return Scalar(word.place, text, text)


def _require_no_shell(split: list[str]) -> None:
    if split and _ASSIGNMENT.fullmatch(split[0]):
        raise ValueError(f"expected a program first, got {shown(split[0])}. Variables go into `env`.")
    found = next((word for word in split if word in _SHELL), None)
    if found is not None:
        raise ValueError(
            f"expected a program and its arguments, got {found!r}: there is no shell that would read it. For one "
            f"write `command: [bash, -c, '…']`; to give the program this text, use a list, too, or `args`."
        )
