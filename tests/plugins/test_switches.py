"""Which plugins may be used, and what becomes of those that fail: environment, horus.toml, the user's settings."""

from __future__ import annotations

import pytest

NAMED = """
import horus
from horus_core.errors import PluginError
from horus_core.messages import registry
try:
    print(registry.types.named("Gripper", "Showing it").__module__)
except PluginError as error:
    print("refused:", error)
"""


@pytest.fixture
def acme(site, gripper):
    site.install("acme-grippers", {"horus.messages": "gripper = acme"}, gripper, module="acme")
    return site


@pytest.mark.parametrize(
    ("only", "module"),
    [
        ("acme-grippers", "acme"),
        ("Acme_Grippers, other", "acme"),
        ("gripper", "acme"),
        ("", None),
        ("none", None),
    ],
)
def test_only_these(acme, only, module):
    """HORUS_PLUGINS has distributions or entry points; HORUS's own are there in any case; empty means no others."""
    done = acme.python(NAMED, HORUS_PLUGINS=only)
    if module:
        assert done.out == f"{module}\n"
    else:
        assert "it is disabled. HORUS_PLUGINS leaves it out: add acme-grippers to it, or unset it" in done.out
        assert acme.imports == []


def test_a_name_that_no_plugin_has_is_said(acme):
    """A misspelt HORUS_PLUGINS arms nothing: one line says so, with the nearest name."""
    done = acme.python(NAMED, HORUS_PLUGINS="acme-gripers")
    assert done.err.count("HORUS_PLUGINS names 'acme-gripers', which no plugin is called. Did you mean") == 1
    assert acme.python(NAMED, HORUS_PLUGINS="").err == ""


def test_strict(site, gripper):
    """HORUS_STRICT=1 makes a failed plugin fatal for whoever imports it, with its error as the cause."""
    site.install("acme", {"horus.lifecycle": "acme = acme"}, "raise OSError('no licence')")
    source = "import horus\nhorus.run(horus.Node('n', tick=lambda: None), duration=0)\nprint('ran')"
    lenient = site.python(source)
    assert lenient.out == "ran\n"
    assert lenient.err.count("acme 1.2 (horus.lifecycle: acme) failed: OSError: no licence") == 1
    strict = site.python(source, HORUS_STRICT="1")
    assert strict.code == 1
    assert "PluginError: Loading acme 1.2 (horus.lifecycle: acme) failed: OSError: no licence" in strict.err
    assert "OSError: no licence" in strict.err.partition("direct cause")[0]


def test_trace(acme):
    """HORUS_TRACE_PLUGINS=1 tells what is found, imported and given, and when; nothing does without it."""
    done = acme.python(NAMED, HORUS_TRACE_PLUGINS="1")
    lines = [line.partition(": ")[2] for line in done.err.splitlines() if line.startswith("horus plugins ")]
    assert lines[0].startswith("found ")
    name = "acme-grippers 1.2 (horus.messages: gripper)"
    assert lines.index(f"found {name}") < lines.index(f"importing {name}")
    assert f"{name} loaded in " in lines[-1]
    assert lines[-1].endswith(" ms; it gave Gripper")
    assert acme.python(NAMED).err == ""


# spec: F33
def test_disable_and_enable_for_the_user(acme):
    """Without a project the user's own settings have it; every process from then on sees it, until it is enabled."""
    done = acme.horus("plugin", "disable", "acme-grippers")
    file = acme.home / "config" / "horus" / "config.toml"
    assert done.out == f"acme-grippers is disabled: {file}.\n"
    assert file.read_text() == '[plugins]\ndisable = ["acme-grippers"]\n'
    refused = acme.python(NAMED).out
    assert f"{file} disables 'acme-grippers': run `horus plugin enable acme-grippers`" in refused
    assert acme.python(NAMED, HORUS_PLUGINS="gripper").out == "acme\n", "what is named counts for more"
    again = acme.horus("plugin", "enable", "Acme.Grippers")
    assert again.out == f"Acme.Grippers is enabled: {file}.\n"
    assert acme.python(NAMED).out == "acme\n"
    assert acme.horus("plugin", "enable", "gripper").out == "gripper is enabled, and was before.\n"


def test_disable_in_a_project_keeps_the_rest_of_the_file(acme):
    """horus.toml of the folder or one above it is changed in that one line, comments and order stay."""
    before = (
        '# my robot\n\n[plugins] # of others\nfolder = "mine"  # one file each\n\n[scripts]\ngo = "a.py"\n'
    )
    file = acme.work / "horus.toml"
    file.write_text(before)
    (acme.work / "mine").mkdir()
    assert acme.horus("plugin", "disable", "gripper").code == 0
    assert file.read_text() == before.replace("# of others\n", '# of others\ndisable = ["gripper"]\n')
    assert f"{file} disables 'gripper'" in acme.python(NAMED).out
    assert acme.horus("plugin", "enable", "gripper").code == 0
    assert file.read_text() == before.replace("# of others\n", "# of others\ndisable = []\n")
    assert not (acme.home / "config").exists()


def test_a_list_over_several_lines_is_replaced_whole(acme):
    """However it is written, the file says the same afterwards but for the name."""
    file = acme.work / "horus.toml"
    file.write_text('[plugins]\ndisable = [\n  "a",  # a ] in a comment\n  "b",\n]\n[scripts]\n')
    assert acme.horus("plugin", "disable", "gripper").code == 0
    assert file.read_text() == '[plugins]\ndisable = ["a", "b", "gripper"]\n[scripts]\n'


def test_what_cannot_be_changed_is_left_alone(acme):
    """A file written in another way is refused with the line to write, and stays as it was."""
    file = acme.work / "horus.toml"
    file.write_text('plugins = { folder = "." }\n')
    done = acme.horus("plugin", "disable", "gripper")
    assert done.code == 1
    assert 'Write disable = ["gripper"] under [plugins] yourself' in done.err
    assert file.read_text() == 'plugins = { folder = "." }\n'


def test_names_that_cannot_be_disabled(acme):
    """HORUS's own, and what nobody has: an error with the nearest name, and nothing is written."""
    done = acme.horus("plugin", "disable", "acme-griper")
    assert done.code == 1
    assert "Did you mean 'acme-grippers'?" in done.err
    assert "comes with HORUS" in acme.horus("plugin", "disable", "horus-core").err
    assert not (acme.home / "config").exists()


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[plugins]\nfoldr = 'x'", [":2: unknown key 'foldr' in [plugins]. Did you mean 'folder'?"]),
        ("\n[plugin]\nfolder = 'x'", [":2: unknown table [plugin]. Did you mean [plugins]?"]),
        (
            "[plugins]\nfolder = 3\ndisable = 'a'\nx = 1",
            [
                ":2: expected a string for 'folder', got 3.",
                ":3: expected a list of strings for 'disable', got 'a'.",
                ":4: unknown key 'x' in [plugins]. It has folder, disable.",
            ],
        ),
        ("[plugins]\nfolder = 'nowhere'", [":2: expected a folder of plugins, got 'nowhere', which is none"]),
        ("[plugins\n", [":1: Expected ']' at the end of a table declaration"]),
        ("plugins = 3", [":1: expected [plugins] to be a table, got 3."]),
    ],
)
def test_wrong_settings(acme, text, problems):
    """All that is wrong, with file and line and the nearest key, in a line; what comes with HORUS works."""
    (acme.work / "horus.toml").write_text(text)
    done = acme.horus("topic", "list")
    assert done.code == 0
    [line, _no_topics] = done.err.splitlines()
    assert line.endswith(" Until then no plugin of others is used.")
    assert "?." not in line
    for problem in problems:
        assert f"{acme.work / 'horus.toml'}{problem}" in done.err
    helped = acme.horus("--help")
    assert helped.code == 0
    assert problems[0] in helped.err
    assert "  topic " in helped.out


ROBOT = """
import horus
horus.run(horus.Node("arm", tick=lambda: print("up", flush=True), rate=10), duration=30)
"""


# spec: F33
def test_wrong_settings_hold_up_no_emergency_stop(acme):
    """A robot starts, is stopped and let go again while horus.toml is broken: a line on stderr each time."""
    with acme.running(ROBOT) as robot:
        assert robot.stdout.readline() == "up\n"
        (acme.work / "horus.toml").write_text("[plugins\n")
        for arguments in (["estop", "test"], ["estop", "--status"], ["--no-plugins", "estop", "--release"]):
            done = acme.horus(*arguments)
            assert done.err.count("horus.toml:1: Expected ']'") == 1, done
            assert "Traceback" not in done.err
            assert done.code == 0, done
    for arguments in (["blackbox"], ["clean"]):
        assert acme.horus(*arguments).err.count("horus.toml:1:") == 1


def test_wrong_settings_are_fatal_for_what_needs_them(acme):
    """What only a plugin could supply, switching one, a script, a strict run: an error that names file and line."""
    (acme.work / "horus.toml").write_text("[plugins\n")
    for arguments in (["greet"], ["run", "go"], ["plugin", "enable", "acme"], ["plugin", "disable", "acme"]):
        done = acme.horus(*arguments)
        assert done.code == 1, done
        assert "horus.toml:1:" in done.err.splitlines()[-1], done
    assert "horus.toml:1:" in acme.python(NAMED).out
    assert acme.imports == []
    assert acme.python(NAMED, HORUS_PLUGINS="acme-grippers").out == "acme\n"
    run = "import horus\nhorus.run(horus.Node('n', tick=lambda: None), duration=0)"
    assert acme.python(run).code == 0
    assert "ConfigError" in acme.python(run, HORUS_STRICT="1").err


# spec: F20
def test_a_horus_yaml_in_the_place_of_a_horus_toml(acme):
    """It disables plugins and names their folder as horus.toml does; commands do not write it, and say what to."""
    file = acme.work / "horus.yaml"
    file.write_text("nodes: [1, {a: }]\nplugins:\n  folder: mine\n  disable:\n    - gripper\n")
    (acme.work / "mine").mkdir()
    (acme.work / "mine" / "own.py").write_text(
        "import click\n\n@click.command()\ndef own():\n    click.echo('mine')\n"
    )
    assert f"{file} disables 'gripper'" in acme.python(NAMED).out
    assert acme.horus("own").out == "mine\n"
    done = acme.horus("plugin", "enable", "gripper")
    assert (
        f"Changing {file} failed: this command changes TOML only. Write `disable: []` under `plugins:`"
        in done.err
    )
    (acme.work / "horus.toml").write_text("")
    assert acme.python(NAMED).out == "acme\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("plugins: [", ":1: expected YAML"),
        ("a: 1\nplugins: {folder: x}\nplugins: {}", ":3: expected each name once, got 'plugins' again."),
        ("just text", ":1: expected names and values"),
        ("plugins:\n  folders: mine", ":2: unknown key 'folders' in [plugins]. Did you mean 'folder'?"),
        ("plugins:\n  folder: [mine]", ":2: expected a string for 'folder'"),
        ("plugin: {}", ":1: unknown table [plugin]. Did you mean [plugins]?"),
        ("plugins:", ":1: expected [plugins] to be a table, got None."),
    ],
)
def test_a_bad_horus_yaml_is_told_by_its_lines(tmp_path, text, error):
    """In the words of horus.toml."""
    from horus_core import project
    from horus_core.errors import ConfigError
    from horus_core.plugins import rules

    file = tmp_path / "horus.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        project.read(file).table("plugins", rules.KEYS)
    assert f"{file}{error}" in str(raised.value)


def test_aliases_do_not_make_a_small_file_a_big_one():
    """What stands deeper than a list of a table is not read."""
    from horus_core import project_yaml

    laughs = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
    )
    assert project_yaml.tables(laughs)["g"] == [[None, None], [None, None]]
    assert project_yaml.tables("a: &a [*a]\n")["a"] == [[None]]
    assert project_yaml.tables("# nothing\n---\n") == {}


def test_a_file_that_somebody_left_in_a_shared_folder(monkeypatch, tmp_path):
    """horus.toml of another user in a folder where anybody may write names no code for us to run."""
    import os

    from horus_core import project

    shared = tmp_path / "shared"
    (shared / "mine").mkdir(parents=True)
    file = shared / "horus.toml"
    file.write_text("")
    monkeypatch.chdir(shared / "mine")
    assert project.find() == file
    shared.chmod(0o1777)
    assert project.find() == file
    if file.stat().st_uid != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 12345, 12345)
    assert project.find() is None
    shared.chmod(0o755)
    assert project.find() == file
