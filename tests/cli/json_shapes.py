"""What a command printed with --json, held against its schema, wherever a test uses the `horus` fixture."""

from __future__ import annotations

import json
from functools import cache

from horus_cli import shapes
from jsonschema import Draft202012Validator

FOLLOWING = {"-f", "--follow"}


def check(arguments, stdout, code) -> None:
    """Each line of the output must have the shape of its command; a command that failed may print nothing."""
    words = [str(argument) for argument in arguments]
    if "--json" not in words:
        return
    command = _command(words)
    assert command is not None, f"horus_cli/shapes.py says nothing of `horus {' '.join(words)}`"
    lines = stdout.splitlines()
    assert lines or code != 0, f"`horus {' '.join(words)}` printed no JSON"
    for line in lines:
        _validator(command).validate(json.loads(line, parse_constant=_refuse))


def _command(words):
    """The longest entry that the line begins with."""
    names = [word for word in words if not word.startswith("-")]
    follow = " --follow" if FOLLOWING & set(words) else ""
    for start in range(len(names)):  # before the command stand options of `horus` itself, with their values
        for count in range(len(names), start, -1):
            plain = " ".join(names[start:count])
            options = [f"{plain} {word}" for word in words if word.startswith("--")]
            for name in (*options, plain + follow, plain):
                if name in shapes.SHAPES:
                    return name
    return None


@cache
def _validator(command):
    found = json.loads(shapes.file(command).read_text())
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def _refuse(constant):
    raise AssertionError(f"{constant} is no JSON")
