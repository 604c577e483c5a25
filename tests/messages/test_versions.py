"""A type of a package or a script, in processes that have it, that lack it, and that have another version of it."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import pytest

import horus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST = """
    import horus

    class GripperState(horus.Message, topic="gripper_state"):
        width: horus.f64 = horus.field(default=0.0, unit="m", doc="Between the fingers.")
        holding: horus.bool_ = horus.field(default=False, doc="Whether it holds something.")

    @horus.hookimpl
    def horus_register_messages(register):
        register(GripperState)
    """
SECOND = FIRST.replace("holding: horus.bool_", "force: horus.f32 = 0.0\n        holding: horus.u8")
REWORDED = FIRST.replace('unit="m"', 'unit="metre"').replace("Between the fingers", "How far it is open")

PUBLISH = """
    import acme_gripper, horus
    topic = horus.Topic(acme_gripper.GripperState, _node="gripper", latched=True)
    topic.send(acme_gripper.GripperState(0.04, holding=True))
    print("sent", flush=True)
    input()
    """
OPEN_TYPED = """
    import json, acme_gripper, horus
    try:
        topic = horus.Topic(acme_gripper.GripperState)
    except horus.TopicTypeError as error:
        print(json.dumps(str(error)), flush=True)
    else:
        got = topic.recv()
        print(json.dumps([type(got).__module__, got.to_dict()]), flush=True)
    """
OPEN_BY_NAME = """
    import json, horus
    got = horus.Topic("gripper_state").recv()
    units = {one.name: one.unit for one in type(got).__descriptors__}
    print(json.dumps([type(got).__module__, got.to_dict(), units["width"]]), flush=True)
    """
SCRIPT = """
    import horus
    class Lamp(horus.Message, topic="lamp"):
        level: horus.f32 = horus.field(default=0.0, unit="lm", doc="How bright.")
    topic = horus.Topic(Lamp, latched=True)
    topic.send(Lamp(0.5))
    print("sent", flush=True)
    input()
    """


@pytest.fixture
def package(tmp_path: Path) -> Callable[[str, str], str]:
    """Install a version of acme-gripper into a folder of its own; what PYTHONPATH is to be."""

    def install(version: str, source: str) -> str:
        site = tmp_path / version
        info = site / f"acme_gripper-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-gripper\nVersion: {version}\n")
        (info / "entry_points.txt").write_text("[horus.messages]\nacme-gripper = acme_gripper\n")
        (site / "acme_gripper.py").write_text(textwrap.dedent(source))
        return str(site)

    return install


def run(program, source, site=""):
    """What a program prints, which is one line of JSON."""
    return json.loads(program(textwrap.dedent(source), PYTHONPATH=site).line())


@pytest.fixture
def publisher(program, package, horus_namespace):
    """A living process that publishes with version 1 of the package."""
    started = program(textwrap.dedent(PUBLISH), PYTHONPATH=package("1.0", FIRST))
    started.wait_for("sent")
    return started


SENT = {"width": 0.04, "holding": True}


# spec: F25, F32, F33
def test_processes_that_have_the_class_share_it(program, publisher, tmp_path):
    """One opens the topic by the class, one by its name alone: both get the package's own."""
    site = str(tmp_path / "1.0")
    assert run(program, OPEN_TYPED, site) == ["acme_gripper", SENT]
    assert run(program, OPEN_BY_NAME, site) == ["acme_gripper", SENT, "m"]


# spec: F25
def test_a_process_without_the_package_reads_it(program, publisher):
    """With a class made from the region, which has fields and units."""
    assert run(program, OPEN_BY_NAME) == ["horus_core.messages.generated", SENT, "m"]


# spec: A22, F7
@pytest.mark.parametrize("newer_first", [False, True])
def test_two_versions_that_disagree_are_told_apart(program, package, horus_namespace, newer_first):
    """Whoever comes second gets the error: both types, the fields that differ, and who made the topic."""
    versions = [package("1.0", FIRST), package("2.0", SECOND)]
    first, second = reversed(versions) if newer_first else versions
    publisher = program(textwrap.dedent(PUBLISH), PYTHONPATH=first)
    publisher.wait_for("sent")
    error = run(program, OPEN_TYPED, second)
    differing = (
        ["force: f32 in the topic, missing in yours", "holding: u8 in the topic, bool_ in yours"]
        if newer_first
        else ["force: missing in the topic, f32 in yours", "holding: bool_ in the topic, u8 in yours"]
    )
    for part in ("GripperState", "node 'gripper'", f"pid {publisher.process.pid}", *differing):
        assert part in error


# spec: F7, F25
def test_another_version_reads_by_name_what_the_first_sends(program, package, publisher):
    """Who names no class gets one of the publisher's layout, not its own package's of the same name."""
    assert run(program, OPEN_BY_NAME, package("2.0", SECOND)) == ["horus_core.messages.generated", SENT, "m"]


def test_other_words_are_no_other_type(program, package, publisher):
    """Units and docs may change between versions; the layout is what counts."""
    assert run(program, OPEN_TYPED, package("1.1", REWORDED)) == ["acme_gripper", SENT]


# spec: F25
def test_a_scripts_own_type_is_read_elsewhere(program, horus_namespace):
    """Three lines in a script, in no package: fields, units and docs reach a process that knows nothing of it."""
    publisher = program(textwrap.dedent(SCRIPT))
    publisher.wait_for("sent")
    got = horus.Topic("lamp").recv()
    assert (type(got).__name__, got.level) == ("Lamp", 0.5)
    assert (type(got).level.unit, type(got).level.doc) == ("lm", "How bright.")

    class Lamp(horus.Message):
        level: horus.f32 = 0.0

    assert horus.Topic("lamp", Lamp).recv() == Lamp(0.5)


def test_the_registry_names_the_version_that_is_installed(program, package, horus_namespace):
    """`horus msg` and `registry` find the type by its name, from the version on the path."""
    ask = """
        import json
        from horus_plugins.monitor import message_types
        (one,) = [one for one in message_types.listed() if one.name == "GripperState"]
        print(json.dumps([one.distribution, one.version, one.size, [field.name for field in one.fields]]), flush=True)
        """
    assert run(program, ask, package("1.0", FIRST)) == ["acme-gripper", "1.0", 16, ["width", "holding"]]
    newer = run(program, ask, package("2.0", SECOND))
    assert newer == ["acme-gripper", "2.0", 16, ["width", "force", "holding"]]
