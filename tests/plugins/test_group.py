"""What plugins supply by name: how little is imported for a name, and what becomes of broken ones."""

from __future__ import annotations

import json

import pytest

FIND = """
import json, sys
from horus_core.errors import PluginError
from horus_core.messages import registry

def named(name):
    try:
        return registry.types.named(name, "Showing it").__module__
    except PluginError as error:
        return [str(error), repr(error.__cause__)]
"""
HANG = "import time\ntime.sleep(10)\n"


def messages(*entries):
    return {"horus.messages": "\n".join(entries)}


@pytest.fixture
def ask(site):
    """What a program prints as JSON, and how it ended."""

    def run(source, **environment):
        done = site.python(FIND + source, **environment)
        assert done.code == 0, done
        return json.loads(done.out), done

    return run


def test_a_name_of_horus_imports_no_stranger(site, ask, gripper):
    """Neither does what a region names, if nobody's entry point is called so."""
    site.install("acme", messages("gripper = acme"), gripper)
    ask("print(json.dumps([named('CmdVel'), registry.find_same('Nobody', bytes(16))]))")
    assert site.imports == []


def test_an_entry_point_that_is_called_so_comes_before_the_rest(site, ask, gripper):
    """The rest is imported only when it does not supply the name; letters' case does not matter."""
    site.install("acme", messages("things = acme"), gripper.replace("Gripper", "Wrench"))
    site.install("bolt", messages("GRIPPER = bolt"), gripper)
    assert ask("print(json.dumps(named('Gripper')))")[0] == "bolt"
    assert site.imports == ["bolt"]
    assert ask("print(json.dumps(named('Wrench')))")[0] == "acme"
    assert site.imports == ["bolt", "acme", "bolt"]


def test_two_in_conflict_are_named_and_only_on_use(site, ask, gripper):
    """Two entry points called like the thing are in conflict; one that is not called so comes second."""
    for name in ("acme", "bolt"):
        site.install(name, messages(f"gripper = {name}"), gripper)
    site.install("curl", messages("other = curl"), gripper)
    [text, cause] = ask("print(json.dumps(named('Gripper')))")[0]
    assert (
        "expected one message type named 'Gripper', got those of acme 1.2 (horus.messages: gripper) and bolt"
        in text
    )
    assert "horus plugin disable" in text
    assert cause == "None"
    assert "curl" not in site.imports
    assert ask("print(json.dumps(named('CmdVel')))")[0] == "horus_plugins.messages.control"


def test_an_error_has_the_load_error_as_its_cause(site, ask, gripper):
    """A name that its plugin cannot give: why is in the text and is the cause; said once on stderr."""
    site.install("acme", messages("gripper = acme"), "raise OSError('no licence')")
    found, done = ask("print(json.dumps([named('Gripper'), named('Gripper')]))")
    for text, cause in found:
        assert "acme 1.2 (horus.messages: gripper) failed: OSError: no licence" in text
        assert cause == "OSError('no licence')"
    assert done.err.count("no licence") == 1
    assert len(done.err.splitlines()) == 1


def test_a_plugin_that_registers_half_keeps_it(site, ask, gripper):
    """What it registered before it raised can be used; the plugin counts as failed, and what is missing tells why."""
    site.install("acme", messages("gripper = acme"), gripper + "    raise OSError('no licence')\n")
    found, _ = ask(
        "one = [p for p in registry.types.plugins() if not p.is_box]\n"
        "print(json.dumps([named('Gripper'), named('Wrench'), one[0].state, one[0].gave]))"
    )
    assert found[0] == "acme"
    assert "no licence" in found[1][0]
    assert found[2:] == ["failed", ["Gripper"]]


def test_one_that_hangs_delays_nobody_who_does_not_name_it(site, ask, gripper):
    """Names of others are found, and lists made, while its import would still sleep: it is left to its thread."""
    site.install("acme", messages("things = acme"), HANG + gripper.replace("Gripper", "Wrench"))
    site.install("bolt", messages("tools = bolt"), gripper)
    site.install("curl", messages("spanner = curl"), gripper.replace("Gripper", "Spanner"))
    found, _ = ask(
        "found = [named('CmdVel'), named('Spanner'), 'acme' in sys.modules, named('Gripper')]\n"
        "found += ['Gripper' in registry.all_types(), 'Wrench' in registry.all_types()]\n"
        "hanging = [p.state for p in registry.types.plugins() if p.distribution == 'acme']\n"
        "print(json.dumps(found + hanging))"
    )
    assert found == ["horus_plugins.messages.control", "curl", False, "bolt", True, False, "loading"]


def test_one_that_is_slow_is_waited_for_when_nobody_else_has_the_name(site, ask, gripper):
    """Its import takes longer than a plugin that nobody named is given, and yet it is the only one."""
    site.install("acme", messages("things = acme"), "import time\ntime.sleep(1.3)\n" + gripper)
    assert ask("print(json.dumps(named('Gripper')))")[0] == "acme"


def test_two_that_ask_for_each_other_while_they_are_imported(site, ask, gripper):
    """Neither waits for the other for ever, on whatever thread they are imported."""
    both = "from horus_core.messages import registry\nregistry.find('{}')\n"
    site.install("acme", messages("gripper = acme"), both.format("Wrench") + gripper)
    wrench = gripper.replace("Gripper", "Wrench")
    site.install("bolt", messages("wrench = bolt"), both.format("Gripper") + wrench)
    found, _ = ask(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool:\n"
        "    print(json.dumps(list(pool.map(named, ['Gripper', 'Wrench']))))"
    )
    assert found == ["acme", "bolt"]


def test_ctrl_c_while_a_plugin_is_imported(site, ask, gripper):
    """It passes, and the next one who asks imports the plugin anew."""
    raising = "import sys\nif not hasattr(sys, 'again'):\n    sys.again = 1\n    raise KeyboardInterrupt\n"
    site.install("acme", messages("gripper = acme"), raising + gripper)
    found, _ = ask(
        "try:\n    named('Gripper')\nexcept KeyboardInterrupt:\n    print(json.dumps(named('Gripper')))\n"
    )
    assert found == "acme"


def test_a_forked_child_imports_anew_what_a_thread_of_its_parent_imported(site, ask, gripper):
    """The thread is not there: the child must not wait for it."""
    site.install("acme", messages("things = acme"), HANG + gripper)
    found, _ = ask(
        """
import os, warnings
warnings.simplefilter("ignore")  # of forking with threads
registry.all_types()
sys.modules.pop("acme", None)
pid = os.fork()
if pid == 0:
    [plugin] = [p for p in registry.types.plugins() if not p.is_box]
    os._exit(0 if plugin.state == "found" else 1)
print(json.dumps(os.waitpid(pid, 0)[1]))
"""
    )
    assert found == 0


def test_a_distribution_that_is_installed_meanwhile(site, ask, gripper):
    """reload() finds it; so does a new folder on sys.path without that."""
    site.install("acme", messages("gripper = acme"), gripper)
    found, _ = ask(
        """
found = [named("Wrench")[0].partition(",")[0]]
import pathlib
site = pathlib.Path(sys.path[0] or ".")
for folder in sys.path:
    if (pathlib.Path(folder) / "acme.py").exists():
        site = pathlib.Path(folder)
(site / "bolt.py").write_text((site / "acme.py").read_text().replace("Gripper", "Wrench"))
info = site / "bolt-1.0.dist-info"
info.mkdir()
(info / "METADATA").write_text("Name: bolt")
(info / "entry_points.txt").write_text("[horus.messages]\\nwrench = bolt\\n")
registry.types.reload()
print(json.dumps([*found, named("Wrench")]))
"""
    )
    assert found == ["Showing it failed: expected a message type named 'Wrench'", "bolt"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("HORUS_PLUGIN_API = 0", "expected HORUS_PLUGIN_API = 1, got 0: upgrade the plugin"),
        ("HORUS_PLUGIN_API = 7", "expected HORUS_PLUGIN_API = 1, got 7: upgrade horus-core"),
        (
            "import horus\n@horus.hookimpl\ndef horus_register_mesages(register): ...",
            "unknown hook 'horus_register_mesages'. Did you mean 'horus_register_messages'?",
        ),
        (
            "import horus\n@horus.hookimpl\ndef horus_register_messages(registr): ...",
            "horus_register_messages() has no argument 'registr'; it has register. Did you mean 'register'?",
        ),
        ("def horus_register_messages(register): ...", "found none (horus_register_messages is not marked)"),
        ("import numpyy", "it needs the module 'numpyy': install what supplies it"),
    ],
)
def test_misspelt_and_outdated_plugins(site, ask, source, said):
    """Errors that name the nearest, or which of the two sides to upgrade."""
    site.install("acme", messages("gripper = acme"), source)
    [text, _] = ask("print(json.dumps(named('Gripper')))")[0]
    assert said in text


def test_two_versions_of_one_distribution(site, ask, gripper, tmp_path):
    """The first on sys.path counts, as it does for imports; the other one is no conflict."""
    other = tmp_path / "other"
    other.mkdir()
    site.install("acme", messages("gripper = acme"), gripper)
    wrench = gripper.replace("Gripper", "Wrench")
    site.install("acme", messages("wrench = acme"), wrench, version="0.9", folder=other)
    path = f"{site.folder}:{other}"
    found, _ = ask(
        "from horus_core.plugins import discovery\n"
        "print(json.dumps([named('Gripper'), registry.find('Wrench'), discovery.hidden('Acme')]))",
        PYTHONPATH=path,
    )
    assert found == ["acme", None, [f"0.9 in {other}"]]


def test_what_pip_is_removing_is_not_found(site, ask, gripper):
    """The folder of a distribution that is being uninstalled begins with ~; metadata may hold any bytes."""
    info = site.install("acme", messages("gripper = acme"), gripper)
    info.rename(info.with_name("~cme-1.2.dist-info"))
    odd = site.install("bolt", messages("wrench = bolt"), gripper.replace("Gripper", "Wrench"))
    (odd / "METADATA").write_bytes(b"\xff\xfe\x00")
    (site.folder / "empty-1.0.dist-info").mkdir()
    found, _ = ask("print(json.dumps([registry.find('Gripper'), named('Wrench')]))")
    assert found == [None, "bolt"]


def test_a_zip_on_the_path(site, ask, gripper, tmp_path):
    """What is no folder is left to the standard library, and its plugins are found."""
    import zipfile

    info = site.install("acme", messages("gripper = acme"), gripper)
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        for path in (site.folder / "acme.py", *info.iterdir()):
            bundle.write(path, path.relative_to(site.folder))
    found, _ = ask("print(json.dumps(named('Gripper')))", PYTHONPATH=str(archive))
    assert found == "acme"


def test_the_plugins_that_come_with_horus_are_as_strangers_must_be(ask):
    """Their hooks are called without asking pluggy, which takes 8 ms to import: here it is asked."""
    found, _ = ask(
        "from horus_core.plugins import discovery, hooks, kinds\n"
        "box = [one for one in discovery.every() if one.is_box and one.group in kinds.CONTRIBUTIONS]\n"
        "print(json.dumps([list(hooks.read(one.load())) == [kinds.CONTRIBUTIONS[one.group]] for one in box]))"
    )
    assert found
    assert all(found)
