"""`horus plugin`: what it shows of plugins that work, fail, hang, shadow and conflict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from horus_core.plugins import kinds
from horus_plugins.monitor import plugin_probe


def told(done, name):
    """What the JSON says of one plugin."""
    [found] = [one for one in json.loads(done.out)["plugins"] if one["name"] == name]
    return found


def test_list_imports_none(site, gripper):
    """State, version, distribution, group and name of every plugin, by their metadata alone."""
    site.install("acme", {"horus.messages": "gripper = acme", "horus.commands": "grip = acme:grip"}, gripper)
    site.install("bolt", {"horus.lifecycle": "bolt = bolt"}, "raise SystemExit")
    done = site.horus("plugin", "list")
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["NAME", "GROUP", "DISTRIBUTION", "STATE"]
    assert lines[1:4] == [
        ["grip", "horus.commands", "acme", "1.2", "enabled"],
        ["gripper", "horus.messages", "acme", "1.2", "enabled"],
        ["bolt", "horus.lifecycle", "bolt", "1.2", "enabled"],
    ]
    assert ["standard", "horus.messages", "horus-core", "0.1.0", "enabled"] in lines
    one = told(site.horus("plugin", "list", "--json"), "gripper")
    assert {key: one[key] for key in ("group", "distribution", "version", "value", "enabled", "state")} == {
        "group": "horus.messages",
        "distribution": "acme",
        "version": "1.2",
        "value": "acme",
        "enabled": True,
        "state": "enabled",
    }
    assert site.imports == []


def test_info_of_one_that_works(site, gripper):
    """What it gave, how long it took, for which version of the hooks it was made, and what it wrote."""
    source = "HORUS_PLUGIN_API = 1\nprint('loading')\n" + gripper
    site.install("acme", {"horus.messages": "gripper = acme"}, source)
    done = site.horus("plugin", "info", "acme")
    assert done.code == 0
    for line in (
        "gripper (horus.messages)",
        "  distribution  acme 1.2",
        "  enabled       yes",
        "  state         loaded",
        "  gave          Gripper",
        "  API version   1, of this HORUS 1",
        "    loading",
    ):
        assert line in done.out.splitlines(), done
    one = told(site.horus("plugin", "info", "gripper", "--json"), "gripper")
    assert one["gave"] == ["Gripper"]
    assert one["load_s"] > 0
    assert one["file"] == str(site.folder / "acme.py")


def test_info_of_one_that_fails(site):
    """Why, with the traceback; exit code 1. A disabled one is loaded for it, and shown as disabled."""
    site.install("acme", {"horus.messages": "gripper = acme"}, "raise OSError('no licence')")
    assert site.horus("plugin", "disable", "acme").code == 0
    done = site.horus("plugin", "info", "acme")
    assert done.code == 1
    assert "  state         failed" in done.out
    assert "  why           OSError: no licence" in done.out
    assert "Traceback (most recent call last)" in done.out
    assert "  enabled       no: " in done.out
    assert len(site.imports) == 1


BROKEN = {
    "raises": ("raise OSError('no licence')", "OSError: no licence"),
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "kills": ("import os; os._exit(7)", "it ended its process: exit code 7"),
    "hangs": ("import time; time.sleep(60)", "its import has not ended after 2 s"),
    "needs": ("import no_such_library", "it needs the module 'no_such_library'"),
    "removed": (None, "its metadata is there but its module is not: reinstall or uninstall removed"),
    "outdated": ("HORUS_PLUGIN_API = 0", "upgrade the plugin"),
    "misspelt": (
        "import horus\n@horus.hookimpl\ndef horus_register_mesages(register): ...",
        "Did you mean 'horus_register_messages'?",
    ),
    "nothing": ("", "expected a function horus_register_messages(register)"),
}


# spec: F33
def test_check_finds_each_fault(site, gripper):
    """Each in a process of its own, all at once: every one that is broken is named with why; exit code 1."""
    for name, (source, _) in BROKEN.items():
        if name != "hangs":
            site.install(name, {"horus.messages": f"{name} = {name}"}, source)
    site.install("half", {"horus.messages": "half = half"}, gripper + "    raise OSError('half')\n")
    site.install("healthy", {"horus.messages": "healthy = healthy"}, gripper.replace("Gripper", "Wrench"))
    site.install("shadow", {"horus.messages": "shadow = shadow"}, gripper.replace("Gripper", "CmdVel"))
    site.install("spelling", {"horus.mesages": "spelling = half"})
    done = site.horus("plugin", "check", "--json", "--timeout", "60")
    assert done.code == 1
    for name, (_, reason) in BROKEN.items():
        if name != "hangs":
            assert told(done, name)["state"] == "failed"
            assert reason in told(done, name)["error"]
    assert told(done, "half")["gave"] == ["Gripper"]
    assert "OSError: half" in told(done, "half")["error"]
    assert told(done, "spelling")["error"] == "unknown group 'horus.mesages'. Did you mean 'horus.messages'?"
    assert told(done, "healthy")["state"] == told(done, "shadow")["state"] == "loaded"
    assert told(done, "healthy")["error"] is None
    [note] = told(done, "shadow")["notes"]
    assert note == "its 'CmdVel' is not used: horus-core has a message type of that name"


def test_one_that_hangs_is_ended(site):
    """Its process is killed when the time is up, and so is what it has started."""
    source, reason = BROKEN["hangs"]
    started = "import subprocess\nprint('child', subprocess.Popen(['sleep', '60']).pid, flush=True)\n"
    site.install("hangs", {"horus.messages": "hangs = hangs"}, started + source)
    done = site.horus("plugin", "info", "hangs", "--json", "--timeout", "2")
    assert done.code == 1
    assert reason in told(done, "hangs")["error"]
    pid = int(told(done, "hangs")["said"].split()[1])
    assert not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.parametrize("session", [False, True])
def test_one_that_starts_a_helper_is_loaded(site, gripper, session):
    """What it starts holds its streams, in a session of its own perhaps: nobody waits for it, and it is ended."""
    started = (
        "import subprocess\n"
        f"helper = subprocess.Popen(['sleep', '1000'], start_new_session={session})\n"
        "print('child', helper.pid, flush=True)\n"
    )
    site.install("acme", {"horus.messages": "acme = acme"}, started + gripper)
    done = site.horus("plugin", "info", "acme", "--json", "--timeout", "40")
    assert done.code == 0, done
    assert told(done, "acme")["state"] == "loaded"
    pid = int(told(done, "acme")["said"].split()[1])
    assert not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text()


def test_check_of_what_comes_with_horus(site):
    """Everything of HORUS's own loads; exit code 0."""
    done = site.horus("plugin", "check", "--timeout", "60")
    assert done.code == 0, done
    assert " failed" not in done.out


def test_check_imports_what_is_installed(site, gripper):
    """The folder in which somebody stands is not imported from: a clone that was not built, a file of some name."""
    site.install("acme", {"horus.messages": "acme = acme"}, f"import wrist\n{gripper}")
    (site.folder / "wrist.py").touch()
    (site.work / "wrist.py").write_text("raise OSError('another one')\n")
    done = site.horus("plugin", "check", "acme")
    assert done.code == 0, done


def test_check_finds_conflicts_and_other_versions(site, gripper, tmp_path):
    """Two that give one name both fail; a second version of a distribution is noted."""
    other = tmp_path / "other"
    other.mkdir()
    for name in ("acme", "bolt"):
        site.install(name, {"horus.messages": f"{name} = {name}"}, gripper)
    site.install("bolt", {"horus.messages": "bolt = bolt"}, version="0.9", folder=other)
    path = {"PYTHONPATH": f"{site.folder}:{other}"}
    done = site.horus("plugin", "check", "--json", **path)
    assert done.code == 1
    for name in ("acme", "bolt"):
        assert "'Gripper' comes from acme 1.2 (acme) and bolt 1.2 (bolt)" in told(done, name)["error"]
    assert told(done, "bolt")["notes"] == [f"another version is installed, and is not used: 0.9 in {other}"]
    assert f"is not used: 0.9 in {other}" in site.horus("plugin", "list", **path).out
    alone = site.horus("plugin", "check", "bolt", **path)
    assert alone.code == 1
    assert "'Gripper' comes from acme 1.2 (acme) and bolt 1.2 (bolt)" in alone.out
    assert "\nacme " not in alone.out
    site.horus("plugin", "disable", "acme")
    assert site.horus("plugin", "check", "bolt", **path).code == 0, "alone it works"


def test_two_entry_points_of_one_module_are_no_conflict(site, gripper):
    """Each type has an entry point of its name, as in horus-gripper: one module gives both."""
    both = gripper.replace("@hookimpl", "class Wrench(Message):\n    turn: f64 = 0.0\n\n@hookimpl")
    site.install("acme", {"horus.messages": "Gripper = acme\nWrench = acme"}, f"{both}    register(Wrench)\n")
    for arguments in ((), ("acme",)):
        done = site.horus("plugin", "check", *arguments, "--timeout", "60")
        assert done.code == 0, done


def test_check_of_a_command_that_horus_has(site):
    """The stranger's is the one to be mended, looked at alone or with all; HORUS's own is fine."""
    source = "import click\n@click.command()\ndef run(): ..."
    site.install("acme", {"horus.commands": "run = acme:run"}, source)
    for name in ("horus-core", "acme"):
        done = site.horus("plugin", "check", name, "--timeout", "60", "--json")
        assert done.code == (1 if name == "acme" else 0), done
    assert told(done, "run")["error"] == "its command is not used: horus-core has one of that name"
    assert told(done, "run")["notes"] == []
    everything = json.loads(site.horus("plugin", "check", "--timeout", "60", "--json").out)["plugins"]
    assert [one["distribution"] for one in everything if one["error"]] == ["acme"]


@pytest.mark.parametrize("verb", ["info", "check", "enable", "disable"])
def test_a_name_that_nobody_has(site, verb):
    """The nearest is named; exit code 1."""
    done = site.horus("plugin", verb, "horus-cor")
    assert done.code == 1
    assert "Did you mean 'horus-core'?" in done.err


def test_every_group_can_be_probed():
    """`horus plugin check` knows what is done with the plugins of each group that has hooks."""
    assert set(plugin_probe.HOMES) == {*kinds.CONTRIBUTIONS, kinds.OBSERVERS}
