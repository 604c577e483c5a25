"""Commands come through entry points: HORUS's own, and strangers', which may be broken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from horus_cli import commands

from horus_core.plugins import discovery

GREET = """
import click

@click.command()
@click.option("--loud", is_flag=True)
def greet(loud):
    '''Say hello.'''
    click.echo("HELLO" if loud else "hello")
"""


def group(name="greet", module="acme_tools", function="greet"):
    return {"horus.commands": f"{name} = {module}:{function}"}


def test_the_table_is_what_the_distribution_declares():
    """Each command of HORUS's own is an entry point with a summary, its docstring's first sentence, and no more."""
    own = {plugin.name: plugin for plugin in discovery.entry_points("horus.commands") if plugin.is_box}
    assert sorted(own) == sorted(commands.SUMMARIES)
    for name, plugin in own.items():
        assert plugin.load().name == name


# spec: F33
def test_a_strangers_command(site):
    """One click command and one entry point are enough; help lists it, and it is imported when it runs."""
    site.install("acme-tools", group(), GREET)
    helped = site.horus("--help")
    assert helped.code == 0
    assert "greet  acme-tools 1.2" in helped.out
    assert site.imports == []
    done = site.horus("greet", "--loud")
    assert (done.out, done.err, done.code) == ("HELLO\n", "", 0)
    assert site.imports == ["acme_tools"]


def test_help_imports_no_plugin(site):
    """Not one module that an entry point names, HORUS's own neither, and nothing that is slow."""
    for number in range(5):
        site.install(f"acme-{number}", group(f"c{number}", f"acme_{number}"), GREET)
    done = site.python(
        """
        import sys
        from horus_cli.group import horus
        horus(["--help"], standalone_mode=False)
        from horus_core.plugins import discovery
        modules = {plugin.value.partition(":")[0] for plugin in discovery.every()}
        slow = {"pluggy", "importlib.metadata", "numpy", "asyncio", "yaml", "logging", "difflib", "pathlib"}
        print(sorted((modules | slow) & set(sys.modules)))
        """
    )
    assert done.out.splitlines()[-1] == "[]", done
    assert site.imports == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import no_such_driver", "it needs the module 'no_such_driver': install what supplies it"),
        ("greet = 3", "expected a click command, got 3"),
        ("import click", "module 'acme_tools' has no attribute 'greet'"),
    ],
)
def test_a_command_that_cannot_be_imported(site, source, reason):
    """One error with its cause and exit code 1; a traceback for --debug. All other commands work."""
    site.install("acme-tools", group(), source)
    done = site.horus("greet")
    assert done.code == 1, done
    assert done.out == ""
    assert len(done.err.splitlines()) == 1, done
    assert done.err.startswith("horus: Loading acme-tools 1.2 (horus.commands: greet) failed: ")
    assert reason in done.err
    assert "Traceback" in site.horus("--debug", "greet").err
    assert site.horus("topic", "list").code == 0


def test_a_module_that_was_removed_by_hand(site):
    """The metadata of a distribution stays, its module is gone: the error says so, and help lists it."""
    site.install("acme-tools", group())
    done = site.horus("greet")
    assert done.code == 1
    assert "its metadata is there but its module is not: reinstall or uninstall acme-tools" in done.err
    assert "greet" in site.horus("--help").out


def test_a_built_in_is_not_shadowed(site):
    """A stranger's `topic` is not used, and that is said by help and when the name is used."""
    site.install("acme-tools", group("topic"), GREET)
    helped = site.horus("--help")
    assert "Not used, for HORUS has commands of these names:\n  topic  acme-tools 1.2" in helped.out
    done = site.horus("topic", "list", "--json")
    assert done.code == 0
    assert '"topics"' in done.out
    assert "acme-tools 1.2 (horus.commands: topic): its command is not used: horus-core has one" in done.err
    listed = site.horus("plugin", "list").out.splitlines()
    assert listed[1].split()[:2] == ["topic", "horus.commands"]
    assert listed[2] == "  its command is not used: horus-core has one of that name"
    assert site.imports == []


def test_two_distributions_with_one_command(site):
    """An error that names both, when the name is used; the other commands of both work."""
    site.install("acme-tools", {"horus.commands": "greet = acme_tools:greet\nhi = acme_tools:greet"}, GREET)
    site.install("bolt-tools", group(module="bolt_tools"), GREET, version="2.0")
    done = site.horus("greet")
    assert done.code == 1
    assert "got those of acme-tools 1.2 and bolt-tools 2.0" in done.err
    assert site.imports == []
    assert "greet  acme-tools 1.2 and bolt-tools 2.0: one too many" in site.horus("--help").out
    assert site.horus("hi").out == "hello\n"


LATER = [("monitor", "the web monitor and the terminal's"), ("record", "recordings")]


@pytest.mark.parametrize(("name", "what"), LATER)
def test_what_is_not_there_yet_says_so(site, name, what):
    """A command that is promised for later is no misspelling; a plugin that brings it is used meanwhile."""
    done = site.horus(name)
    assert done.code == 2
    assert f"`horus {name}` is not there yet: {what} are to come" in done.err
    site.install("acme-tools", group(name=name), GREET)
    assert site.horus(name).code == 0


@pytest.mark.parametrize(("wrong", "near"), [("gret", "greet"), ("tpoic", "topic")])
def test_the_nearest_over_all(site, wrong, near):
    """An unknown command is told of the nearest one, HORUS's own or a stranger's; exit code 2."""
    site.install("acme-tools", group(), GREET)
    done = site.horus(wrong)
    assert done.code == 2
    assert f"No such command {wrong!r}. Did you mean {near!r}?" in done.err


@pytest.mark.parametrize("arguments", [["--no-plugins", "--help"], ["--help", "--no-plugins"]])
def test_no_plugins(site, arguments):
    """`horus --no-plugins` knows none of the strangers' commands, in help neither."""
    site.install("acme-tools", group(), GREET)
    helped = site.horus(*arguments)
    assert helped.code == 0
    assert "greet" not in helped.out
    refused = site.horus("--no-plugins", "greet")
    assert refused.code == 1
    assert "HORUS_PLUGINS leaves it out: add acme-tools to it, or unset it" in refused.err
    assert site.imports == []


def test_a_command_that_hangs_at_import_delays_no_other(site):
    """Help and all other commands end while its import would still sleep."""
    site.install("acme-tools", group(), "import time\ntime.sleep(30)\n" + GREET)
    for arguments in (["--help"], ["topic", "list"], ["run", "no_such.py"]):
        done = site.horus(*arguments)
        assert site.imports == [], done


def test_a_half_installed_horus_says_what_to_do():
    """Where the metadata does not know a command that the code has, the error says how to mend that."""
    from horus_core.errors import PluginError

    with pytest.raises(PluginError, match="in a clone, `make setup`"):
        commands._own("no-such-command")


def test_the_command_of_an_interpreter(site):
    """The console script sees the plugins of its own interpreter."""
    site.install("acme-tools", group(), GREET)
    script = Path(sys.executable).with_name("horus")
    assert site._run([str(script), "greet"], {}).out == "hello\n"
