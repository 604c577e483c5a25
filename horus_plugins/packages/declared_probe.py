"""The process that imports packages to read their declarations: `declared_probe.py QUESTION ANSWERS`, both files.

Started by its path: -m would put the folder in which somebody happens to stand before all that is installed.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this file's folder, whose modules are nobody's to import by their short names

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from horus_core.nodes.parameter import Parameter
    from horus_plugins.packages.declared import Answer, Asked


def main(question: str, answers: str) -> None:
    """Answer one after the other, so that a package that hangs hides only what comes after it."""
    from horus_plugins.packages.declared import Asked  # noqa: PLC0415 - after sys.path has been put right

    with Path(answers).open("wb", buffering=0) as file:
        questions = msgspec.json.decode(Path(question).read_bytes(), type=list[Asked])
        file.writelines(msgspec.json.encode(_answer(asked)) + b"\n" for asked in questions)


def _answer(asked: Asked) -> Answer:
    from horus_core.errors import HorusError  # noqa: PLC0415 - after sys.path has been put right
    from horus_plugins.packages.declared import Answer  # noqa: PLC0415

    try:
        declared = _declared(asked.words)
    except HorusError as error:
        return Answer(unknown=str(error))
    pairs = [(one, value) for name, value in asked.params.items() for one in declared.get(name, ())]
    refused = {one.name: why for one, value in reversed(pairs) if (why := _refusal(one, value))}
    return Answer(refused, list(declared))


def _refusal(parameter: Parameter, value: Any) -> str:
    from horus_core.errors import ParamError  # noqa: PLC0415 - after sys.path has been put right
    from horus_core.params.env import Given  # noqa: PLC0415

    try:
        parameter.convert(Given(value, "the launch file"))
    except ParamError as error:
        return str(error)
    return ""


def _declared(words: list[str]) -> dict[str, list[Parameter]]:
    from horus_core.nodes.parameter import parameters  # noqa: PLC0415 - after sys.path has been put right
    from horus_plugins.packages.loading import load  # noqa: PLC0415

    found: dict[str, list[Parameter]] = {}
    for word in words:
        function = load(word)
        for name, parameter in parameters(function, word).items() if callable(function) else ():
            found.setdefault(name, []).append(parameter)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # whatever threads the packages have started: all is told
