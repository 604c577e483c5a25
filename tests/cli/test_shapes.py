"""Every `--json` has a schema that is true: the files are what the types say."""

# spec: F22

import click
import pytest
from horus_cli import commands, shapes

from horus_core.plugins import discovery, kinds


@pytest.mark.parametrize("command", sorted(shapes.SHAPES))
def test_the_file_is_what_the_type_says(command):
    """The schema that is shipped is that of the type which the command encodes."""
    assert shapes.file(command).read_text() == shapes.text(command), "run `make schemas`"


def test_no_file_is_left_over():
    """Each file belongs to a command."""
    assert {*shapes.FOLDER.glob("*.json")} == {shapes.file(command) for command in shapes.SHAPES}


def _with_json(words, command):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _with_json([*words, name], command.get_command(context, name))
    elif any("--json" in option.opts for option in command.params):
        yield " ".join(words)


def test_every_command_with_json_has_a_shape():
    """A command that offers --json says what it prints."""
    found = []
    for plugin in discovery.entry_points(kinds.COMMANDS):
        if plugin.is_box and plugin.name in commands.SUMMARIES:
            found += _with_json([plugin.name], plugin.load())
    known = {
        name.partition(" --")[0] for name in shapes.SHAPES
    }  # some print another shape with another option
    assert [command for command in found if command not in known] == []
