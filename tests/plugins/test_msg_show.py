"""`horus msg show`: whom it imports for a name, and what it says of one that its plugin cannot give."""

from __future__ import annotations

import pytest


# spec: F33
def test_a_type_of_horus_imports_no_stranger(site):
    """One that kills its process is not even imported, nor fatal for a strict process."""
    site.install("acme", {"horus.messages": "gripper = acme"}, "import os; os._exit(7)")
    done = site.horus("msg", "show", "LaserScan", HORUS_STRICT="1")
    assert done.code == 0, done
    assert "from horus-core" in done.out
    assert site.imports == []


def test_a_strangers_type_is_told_with_its_distribution(site, gripper):
    """By its name, and by its module; nobody else is imported."""
    site.install("acme", {"horus.messages": "Gripper = acme"}, gripper)
    site.install("bolt", {"horus.messages": "bolt = bolt"}, "raise OSError")
    for name in ("Gripper", "acme:Gripper"):
        assert "from acme 1.2, acme" in site.horus("msg", "show", name).out
    assert site.imports == ["acme", "acme"]


def test_a_plugin_that_is_called_so_and_fails(site):
    """The last line says why, and the cause is what it raised."""
    site.install("acme", {"horus.messages": "Gripper = acme"}, "raise OSError('no licence')")
    done = site.horus("--debug", "msg", "show", "Gripper")
    assert done.code == 1
    assert (
        "Loading acme 1.2 (horus.messages: Gripper) failed: OSError: no licence" in done.err.splitlines()[-1]
    )
    assert "OSError: no licence\n\nThe above exception was the direct cause" in done.err


def test_one_that_hangs_delays_no_error(site):
    """Where the plugin that is called so has failed, nobody waits until an unrelated import ends."""
    site.install("acme", {"horus.messages": "Gripper = acme"}, "raise OSError('no licence')")
    site.install("bolt", {"horus.messages": "bolt = bolt"}, "import time\ntime.sleep(1000)")
    done = site.python("""
        from horus_core.errors import HorusError
        from horus_core.plugins import group
        from horus_plugins.monitor import message_lookup
        group._LAST_PATIENCE_S = 1000.0
        try:
            message_lookup.find("Gripper")
        except HorusError as error:
            print(error)
    """)
    assert "no licence" in done.out, done


@pytest.mark.parametrize("environment", [{}, {"HORUS_PLUGINS": ""}])
def test_a_disabled_one_is_named(site, gripper, environment):
    """With who disables it and the way out."""
    site.install("acme", {"horus.messages": "Gripper = acme"}, gripper)
    if not environment:
        assert site.horus("plugin", "disable", "acme").code == 0
    done = site.horus("msg", "show", "Gripper", **environment)
    assert done.code == 1
    assert "Loading acme 1.2 (horus.messages: Gripper) failed: it is disabled." in done.err
    assert site.imports == []


def test_a_type_in_a_file(site, gripper):
    """The file stands for distribution and version."""
    (site.work / "mine").mkdir()
    (site.work / "mine" / "hello.py").write_text(gripper)
    (site.work / "horus.toml").write_text('[plugins]\nfolder = "mine"\n')
    assert "from mine/hello.py, horus_folder.hello" in site.horus("msg", "show", "Gripper").out
