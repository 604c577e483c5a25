"""Message types by name: this process's own, and those of plugins, each of which may be broken."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from horus_core.messages import registry
from horus_core.messages.fields import f64
from horus_core.messages.message import Message

GRIPPER = """
from horus_core.messages.fields import f64
from horus_core.messages.message import Message
from horus_core.plugins.hookspecs import hookimpl

class {name}(Message):
    width: f64 = {default}

@hookimpl
def horus_register_messages(register):
    register({name})
"""


def install(site: Path, distribution: str, module: str, source: str, *entry_points: str) -> None:
    """What pip leaves behind for a pure-Python distribution."""
    (site / f"{module}.py").write_text(textwrap.dedent(source))
    info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    lines = entry_points or (f"{module} = {module}",)
    (info / "entry_points.txt").write_text("[horus.messages]\n" + "\n".join(lines) + "\n")


def ask(site: Path, script: str) -> dict[str, object]:
    """Run a script in a process that sees the distributions; it prints one JSON object."""
    head = f"import json, sys\nsys.path.insert(0, {str(site)!r})\nfrom horus_core.messages import registry\n"
    command = [sys.executable, "-W", "error", "-c", head + textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_box_comes_in_through_entry_points() -> None:
    """CmdVel and its kin are found by name, with the distribution that brought them."""
    found = registry.find("CmdVel")
    assert found is not None
    assert found.__module__ == "horus_plugins.messages.control"
    assert registry.all_types()["EmergencyStop"].__topic__ == "estop"
    box = [plugin for plugin in registry.types.plugins() if plugin.distribution == "horus-core"]
    assert sorted(plugin.name for plugin in box) == ["standard"]
    assert all(plugin.error is None and plugin.gave for plugin in box)
    assert registry.find("Nowhere") is None
    assert registry.find("horus_plugins.messages.sensor:Imu") is registry.find("Imu")
    assert registry.find("horus_plugins.messages.sensor:Nothing") is None
    assert registry.find("no.such.module:Imu") is None
    assert registry.find("horus_core.names:topic_name") is None


def test_a_class_of_this_process_comes_first_and_goes_when_unused() -> None:
    """A notebook may call its own class CmdVel; nothing keeps it alive but its users."""
    import gc

    box = registry.find("CmdVel")

    class CmdVel(Message):
        mine: f64 = 0.0

    assert registry.find("CmdVel") is CmdVel
    assert registry.by_hash(CmdVel.__type_hash__) is CmdVel
    type_hash = CmdVel.__type_hash__
    del CmdVel
    gc.collect()
    assert registry.by_hash(type_hash) is None
    assert registry.find("CmdVel") is box


def test_a_class_of_this_process_keeps_its_name_when_plugins_come_later(tmp_path: Path) -> None:
    """What a script has defined is found before and after plugins with such a type are imported."""
    install(tmp_path, "acme", "acme", GRIPPER.format(name="Gripper", default=1.0), "things = acme")
    found = ask(
        tmp_path,
        """
        from horus_core.messages.message import Message
        from horus_core.messages.fields import f64
        class Gripper(Message):
            x: f64 = 0.0
        class CmdVel(Message):
            y: f64 = 0.0
        mine = [registry.find(name).__module__ for name in ("Gripper", "CmdVel")]
        before = "acme" in sys.modules
        registry.all_types()
        mine += [registry.find(name).__module__ for name in ("Gripper", "CmdVel")]
        print(json.dumps([before, "acme" in sys.modules, mine]))
        """,
    )
    assert found == [False, True, ["__main__"] * 4]


# spec: F33
def test_a_strangers_plugin_supplies_a_type(tmp_path: Path) -> None:
    """One module and one entry point are enough; nothing is imported before a type is asked for by name."""
    install(tmp_path, "acme-grippers", "acme_grippers", GRIPPER.format(name="Gripper", default=2.0))
    found = ask(
        tmp_path,
        """
        import horus_core.messages.message
        before = "acme_grippers" in sys.modules
        cls = registry.find("Gripper")
        mine = [p for p in registry.types.plugins() if p.distribution == "acme-grippers"]
        print(json.dumps([before, cls().width, [(p.version, p.gave, p.error) for p in mine]]))
        """,
    )
    assert found == [False, 2.0, [["1.2", ["Gripper"], None]]]


def test_two_plugins_with_one_name_are_an_error_that_names_both(tmp_path: Path) -> None:
    """On use of that name only: the others go on, and a full name decides."""
    install(tmp_path, "acme", "acme", GRIPPER.format(name="Gripper", default=1.0))
    install(tmp_path, "bolt", "bolt", GRIPPER.format(name="Gripper", default=2.0))
    found = ask(
        tmp_path,
        """
        from horus_core.errors import PluginError
        try:
            registry.find("Gripper")
        except PluginError as error:
            text = str(error)
        print(json.dumps([text, registry.find("CmdVel").__name__, registry.find("bolt:Gripper")().width]))
        """,
    )
    assert found[1:] == ["CmdVel", 2.0]
    for part in ("'Gripper'", "acme (acme)", "bolt (bolt)", "acme:Gripper"):
        assert part in found[0]


def test_a_regions_hash_decides_between_two_plugins(tmp_path: Path) -> None:
    """A subscriber of either's topic gets the right class, and no error about the name; others are left alone."""
    opening = GRIPPER.format(name="Gripper", default=2.0).replace("width", "opening")
    install(tmp_path, "acme", "acme", GRIPPER.format(name="Gripper", default=1.0), "gripper = acme")
    install(tmp_path, "bolt", "bolt", opening, "gripper = bolt")
    install(tmp_path, "curl", "curl", opening, "other = curl")
    found = ask(
        tmp_path,
        """
        import subprocess
        code = "import sys; sys.path.insert(0, sys.argv[1]); import bolt; print(bolt.Gripper.__type_hash__.hex())"
        command = [sys.executable, "-c", code, sys.path[0]]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        wanted = bytes.fromhex(done.stdout)
        found = [registry.find_same("Gripper", wanted).__module__, registry.find_same("Gripper", bytes(16))]
        print(json.dumps([*found, "curl" in sys.modules]))
        """,
    )
    assert found == ["bolt", None, False]


def test_built_ins_are_not_shadowed_silently(tmp_path: Path) -> None:
    """A plugin that brings a CmdVel of its own is told that it is not used; whoever wants it names its module."""
    install(tmp_path, "acme", "acme", GRIPPER.format(name="CmdVel", default=1.0), "cmd_vel = acme")
    found = ask(
        tmp_path,
        """
        homes = [registry.find("CmdVel").__module__, "acme" in sys.modules]
        registry.all_types()
        homes += [registry.find("CmdVel").__module__, registry.find("acme:CmdVel").__module__]
        print(json.dumps([homes, [(p.gave, p.notes) for p in registry.types.plugins() if not p.is_box]]))
        """,
    )
    box = "horus_plugins.messages.control"
    note = "its 'CmdVel' is not used: horus-core has a message type of that name"
    assert found == [[box, False, box, "acme"], [[[], [note]]]]


def hook(text: str) -> str:
    return f"from horus_core.plugins.hookspecs import hookimpl\n@hookimpl\n{text}"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no')", "RuntimeError: no"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("x = (", "SyntaxError"),
        (
            "x = 1",
            "expected a function horus_register_messages(register) marked with @horus.hookimpl, found none",
        ),
        (hook("def horus_register_mesages(register): ..."), "unknown hook 'horus_register_mesages'"),
        (
            hook("def horus_register_messages(register): register(int)"),
            "expected a subclass of horus.Message, got",
        ),
        (hook("def horus_register_messages(register, extra): ..."), "extra"),
    ],
)
def test_a_broken_plugin_takes_no_other_down(tmp_path: Path, source: str, reason: str) -> None:
    """It is recorded with its reason; the types of all others are found."""
    install(tmp_path, "broken", "broken", source)
    install(tmp_path, "healthy", "healthy", GRIPPER.format(name="Gripper", default=1.0))
    found = ask(
        tmp_path,
        """
        cls = registry.find("Gripper")
        errors = {p.distribution: p.error for p in registry.types.plugins()}
        print(json.dumps([cls.__name__, registry.find("CmdVel").__name__, errors]))
        """,
    )
    assert found[:2] == ["Gripper", "CmdVel"]
    assert reason in found[2]["broken"]
    assert found[2]["healthy"] is None
    assert found[2]["horus-core"] is None


def test_a_module_named_twice_is_registered_once(tmp_path: Path) -> None:
    """Two entry points of one module do not make its types ambiguous."""
    source = GRIPPER.format(name="Gripper", default=1.0)
    install(tmp_path, "acme", "acme", source, "one = acme", "two = acme")
    assert ask(tmp_path, "print(json.dumps(registry.find('Gripper').__name__))") == "Gripper"


def test_a_plugin_may_look_up_types_while_it_is_imported(tmp_path: Path) -> None:
    """It sees what came before it; nothing loads twice."""
    source = "from horus_core.messages import registry\nregistry.find('CmdVel')\n"
    install(tmp_path, "acme", "acme", source + GRIPPER.format(name="Gripper", default=1.0))
    assert ask(tmp_path, "print(json.dumps(registry.find('Gripper').__name__))") == "Gripper"


def test_threads_load_plugins_once(tmp_path: Path) -> None:
    """Two threads that ask at the same time both get the type, and no type is in conflict with itself."""
    install(
        tmp_path,
        "slow",
        "slow",
        "import time\ntime.sleep(0.2)\n" + GRIPPER.format(name="Gripper", default=1.0),
    )
    found = ask(
        tmp_path,
        """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(4) as pool:
            names = [cls.__name__ for cls in pool.map(registry.find, ["Gripper", "CmdVel"] * 4)]
        print(json.dumps(names))
        """,
    )
    assert found == ["Gripper", "CmdVel"] * 4
