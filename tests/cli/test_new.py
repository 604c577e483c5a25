"""`horus new`: names, folders, and what is said. That what it makes works is tests/templates' business."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from horus_core.errors import ConfigError, InvalidNameError
from horus_core.plugins import kinds as groups
from horus_plugins.templates import kinds
from horus_plugins.templates.making import FILES, make
from horus_plugins.templates.names import names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KINDS = {"node": kinds.NODE, "project": kinds.PROJECT, **kinds.PLUGINS}


def test_it_says_what_was_made_and_what_comes_next(horus, tmp_path):
    """The folder, its files, and the commands that install, test and try it."""
    command = horus("new", "plugin", "grip-force", "--kind", "message")
    assert command.wait() == 0, command.stderr
    assert command.stdout == (
        "Made horus-grip-force/:\n"
        "  .gitignore\n"
        "  CHANGELOG.md\n"
        "  LICENSE\n"
        "  README.md\n"
        "  pyproject.toml\n"
        "  src/horus_grip_force/__init__.py\n"
        "  src/horus_grip_force/py.typed\n"
        "  tests/test_horus_grip_force.py\n"
        "\n"
        "Next:\n"
        "  cd horus-grip-force\n"
        "  pip install -e '.[test]'\n"
        "  pytest\n"
        "  horus msg show GripForce\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["horus-grip-force"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a", "line-follower", "line_follower-2d", "import", "x" * 40])
def test_every_file_is_filled_in(kind, name, tmp_path):
    """No placeholder is left, in a path or a text; Python and TOML can be read, whatever the name."""
    made = make(KINDS[kind], name, tmp_path)
    for file in made.files:
        text = (made.folder / file).read_text(encoding="utf-8")
        assert not re.search(r"@\w+@", file + text), file
        assert not file.endswith(".in")
        if file.endswith(".py"):
            ast.parse(text)
        elif file.endswith(".toml"):
            tomllib.loads(text)
    assert made.files == sorted(made.files)
    assert {"README.md", "pyproject.toml", ".gitignore"} <= set(made.files)


def test_there_is_a_template_for_every_group():
    """Whatever HORUS takes from packages can be started."""
    assert {kind.group for kind in KINDS.values()} - {""} == set(groups.GROUPS)
    assert {path.name for path in FILES.iterdir()} == {
        kinds.PACKAGE,
        *(kind.folder for kind in KINDS.values()),
    }


@pytest.mark.parametrize("said", ["line-follower", "horus-line-follower", "horus_line-follower"])
def test_what_is_made_of_a_name(said):
    """Distribution, module, class and topic; `horus-` in front may be said or not."""
    assert names(said) == (
        "line-follower",
        "horus-line-follower",
        "horus_line_follower",
        "LineFollower",
        "line_follower",
    )


@pytest.mark.parametrize(
    ("said", "near"),
    [
        ("LineFollower", "line-follower"),
        ("line follower", "line-follower"),
        ("line--follower", "line-follower"),
        ("../x", "x"),
        ("2d", ""),
        ("", ""),
        ("größe", ""),
        ("x" * 41, ""),
        ("horus-", ""),
        ("x\n", "x"),
    ],
)
def test_a_name_that_cannot_be_used(said, near, tmp_path):
    """It is refused with the rule, and with one that would do; nothing is made."""
    with pytest.raises(InvalidNameError, match="expected 1 to 40 characters of a-z 0-9") as caught:
        make(kinds.NODE, said, tmp_path)
    assert ("would do" in str(caught.value)) == bool(near)
    assert f"{near!r} would do" in str(caught.value) or not near
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("said", ["none", "horus", "core", "plugins", "horus-cli", "true"])
def test_a_name_that_is_taken(said, tmp_path):
    """HORUS's own modules, and what Python keeps for itself."""
    with pytest.raises(InvalidNameError, match="taken by HORUS or Python"):
        make(kinds.PLUGINS["message"], said, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [("message", "imu"), ("execution", "rt"), ("backend", "shm"), ("command", "run"), ("runner", "py")],
)
def test_a_plugin_that_would_never_be_used(kind, name, tmp_path):
    """HORUS's own of that name would be: refused."""
    with pytest.raises(ConfigError, match="which is one of its own"):
        make(kinds.PLUGINS[kind], name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it(horus, tmp_path):
    """It is refused, and stays as it is."""
    folder = tmp_path / "horus-arm"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    command = horus("new", "node", "arm")
    assert command.wait() == 1
    assert "Making 'horus-arm' failed: expected a folder that is new or empty" in command.stderr
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["horus-arm"]


def test_an_empty_folder(tmp_path):
    """It is filled."""
    (tmp_path / "arm").mkdir()
    assert (make(kinds.PROJECT, "arm", tmp_path).folder / "horus.toml").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["arm"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder(kind, tmp_path):
    """A file of that name, or a link to a folder: refused."""
    (tmp_path / "elsewhere").mkdir()
    if kind == "file":
        (tmp_path / "arm").write_text("mine")
    else:
        (tmp_path / "arm").symlink_to("elsewhere")
    with pytest.raises(ConfigError, match="expected a folder that is new or empty"):
        make(kinds.PROJECT, "arm", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arm", "elsewhere"]


def test_where_nothing_can_be_written():
    """The reason is said: here the folder takes no files, whoever asks."""
    with pytest.raises(ConfigError, match="Making '/proc/arm' failed"):
        make(kinds.PROJECT, "arm", Path("/proc"))


def test_nothing_is_left_half_written(tmp_path, monkeypatch):
    """When the disk is full in the middle, the folder is not there."""
    written = []
    write = Path.write_text

    def full(self, *arguments, **options):
        written.append(self)
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        return write(self, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        make(kinds.NODE, "arm", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_as_open_as_others(tmp_path):
    """The umask decides who may read it."""
    (tmp_path / "other").mkdir()
    made = make(kinds.PROJECT, "arm", tmp_path)
    assert made.folder.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_unknown_kind(horus, tmp_path):
    """Usage: the kinds are told."""
    command = horus("new", "plugin", "arm", "--kind", "massage")
    assert command.wait() == 2
    assert all(kind in command.stderr for kind in kinds.PLUGINS)
    assert list(tmp_path.iterdir()) == []
