"""What the tests of launch files share: a file from text, and the problems that it has."""

from __future__ import annotations

import os

from horus_core.errors import LaunchError
from horus_plugins.launch.file.launch_file import Choice, plan


def write(folder, text, name="robot.yaml"):
    """A file in the folder; also a Python file `node.py` and a program `motor`, for its commands."""
    folder.joinpath("node.py").write_text("import sys\n")
    motor = folder / "motor"
    motor.write_text("#!/bin/sh\n")
    motor.chmod(0o755)
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def planned(folder, text, **choice):
    """The plan of a file, in a namespace of its own."""
    return plan(write(folder, text), Choice(**{"namespace": "launch-test", **choice}))


def problems(folder, text, **choice):
    """{(line, column): text} of what is wrong; each file named by its own name."""
    try:
        planned(folder, text, **choice)
    except LaunchError as error:
        head, *lines = str(error).splitlines()
        assert head.endswith("nothing was started.")
        found = {}
        for line in lines:
            place, _, said = line.removeprefix(f"{folder}{os.sep}").partition(": ")
            found[place] = f"{found[place]} {said}" if place in found else said
        return found
    return {}


def nodes(*lines):
    """A file of nodes from their lines."""
    return "nodes:\n" + "".join(f"  - {line}\n" for line in lines)
