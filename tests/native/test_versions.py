"""Two versions of HORUS in one namespace: compatible where their layouts are, else the second is refused.

Everything here is real: another build of the same sources, which says another version and, where it must differ,
another layout, in processes of its own.
"""

from __future__ import annotations

import json
import shutil

import pytest

import horus
from horus_core import _native
from horus_core.shm import cleaner, namespace
from horus_plugins.monitor import topics

OTHER = "9.9.9"
OURS = _native.VERSION
LAYOUT = _native.LAYOUTS[1]

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler for a second build")


@pytest.fixture(scope="session")
def newer(build_of_horus):
    """The beginning of programs of another release with the same layouts."""
    return build_of_horus(HORUS_VERSION=f'"{OTHER}"')


@pytest.fixture(scope="session")
def foreign(build_of_horus):
    """The beginning of programs of another release whose topics have another layout."""
    return build_of_horus(HORUS_VERSION=f'"{OTHER}"', HORUS_TOPIC_LAYOUT=f"{LAYOUT + 1}u")


ECHO = f"""
import horus
assert horus.__version__ == "{OTHER}", horus.__version__
there, typed, back = horus.Topic("there"), horus.Topic("typed", horus.CmdVel), horus.Topic("back", dict)
pixels = horus.Topic("pixels", horus.Image)
print("up", flush=True)
assert there.wait(20) and typed.wait(20) and pixels.wait(20)
back.send({{"got": there.recv(), "linear": typed.recv().linear, "sum": int(pixels.recv().to_numpy().sum())}})
there.wait(20)
"""


def test_another_release_with_the_same_layouts_takes_part(newer, program, horus_namespace):
    """Dicts, typed messages and images go both ways between two releases, and topics say whose they are."""
    np = pytest.importorskip("numpy")
    there = horus.Topic("there", dict)
    other = program(newer + ECHO)
    other.wait_for("up")
    back = horus.Topic("back")
    assert there.send({"text": "hello"})
    assert horus.Topic("typed", horus.CmdVel).send(horus.CmdVel(linear=0.5))
    image = horus.Image.from_numpy(np.ones((480, 640, 3), np.uint8))
    assert horus.Topic("pixels", horus.Image).send(image)
    assert back.wait(20)
    assert back.recv() == {"got": {"text": "hello"}, "linear": 0.5, "sum": 480 * 640 * 3}
    creators = {name: json.loads(horus.Topic(name)._ring.meta)["creator"] for name in ("there", "back")}
    assert [creators[name]["horus"] for name in ("there", "back")] == [OURS, OTHER]
    there.send({})
    other.finish()


OPEN = """
import horus
try:
    topic = horus.Topic("t", dict)
    topic.send({"a": 1})
    print("up", flush=True)
    input()
    print(topic.send({"a": 2}), topic.publishers, flush=True)
except horus.RegionError as error:
    print(error, flush=True)
"""


def both_named(text, pid):
    """Whether the refusal says all that it must."""
    return all(
        part in text
        for part in (
            f"HORUS {OURS} (layouts: ", f"topics {LAYOUT},", f"HORUS {OTHER} (layouts: ", f"topics {LAYOUT + 1},",
            f"which process {pid} uses", "one version of HORUS", "HORUS_NAMESPACE",
        )
    )  # fmt: skip


def test_other_layouts_are_refused_where_ours_live(foreign, program, horus_namespace):
    """Who comes second learns both versions, both layouts, who is there and what to do."""
    first = program(OPEN)
    first.wait_for("up")
    before = namespace.regions(horus_namespace)
    second, _ = program(foreign + OPEN).finish()
    assert both_named(second, first.process.pid), second
    assert namespace.regions(horus_namespace) == before
    third = program(OPEN)
    third.wait_for("up")
    first.tell()
    assert first.line() == "True ['program0', 'program2']"


def test_ours_is_refused_where_other_layouts_live(foreign, program, horus_namespace):
    """The same the other way; nothing that runs is cleaned away, and tools say why they cannot look."""
    first = program(foreign + OPEN)
    first.wait_for("up")
    before = namespace.regions(horus_namespace)
    for _ in range(2):
        with pytest.raises(horus.RegionError) as caught:
            horus.Topic("t", dict)
        assert both_named(str(caught.value), first.process.pid), caught.value
    assert cleaner.clean([horus_namespace], records=True) == []
    (seen,) = topics.topics(horus_namespace)
    assert seen.name == "t"
    assert both_named(seen.error, first.process.pid), seen.error
    assert namespace.regions(horus_namespace) == before
    first.tell()
    assert first.line() == "True ['program0']"


@pytest.mark.parametrize("dead", ["ours", "theirs"])
def test_what_the_dead_of_another_version_left_is_replaced(foreign, program, horus_namespace, dead):
    """Where nobody lives who could use it, the next one takes the namespace, whatever its version."""
    sources = {"ours": OPEN, "theirs": foreign + OPEN}
    first = program(sources.pop(dead))
    first.wait_for("up")
    first.kill()
    (heir,) = sources.values()
    second = program(heir)
    assert second.line() == "up"
    assert sorted(namespace.regions(horus_namespace)) == [
        f"horus_{horus_namespace}.index",
        f"horus_{horus_namespace}.topic.t",
    ]
    second.tell()
    assert second.line() == "True ['program1']"


ROBBED = """
import horus
topic = horus.Topic("t", dict)
print("up", flush=True)
input()
try:
    horus.Topic("u", dict)
except horus.RegionError as error:
    print(error, flush=True)
input()
"""


def test_a_topic_of_another_version_without_its_index_is_replaced(foreign, program, horus_namespace):
    """Somebody removed the index under another version: the region that it left is nobody's, and it is refused."""
    other = program(foreign + ROBBED)
    other.wait_for("up")
    (namespace.SHM / f"horus_{horus_namespace}.index").unlink()
    waiting = horus.Topic("t")
    assert waiting.recv() is None
    topic = horus.Topic("t", dict)
    topic.send({"a": 1})
    assert waiting.recv() == {"a": 1}
    other.tell()
    refused = other.line()
    assert f"got that of HORUS {OURS}" in refused
    assert "which process" in refused


def test_a_region_of_another_layout_is_refused_where_others_live(program, horus_namespace, region_of):
    """A header that says another layout, in a namespace of this one: an error that names both releases."""
    program("import horus\ntopic = horus.Topic('t', dict)\nprint('up', flush=True)\ninput()\n").wait_for("up")
    with region_of("t").open("r+b") as file:
        file.seek(8)
        file.write((LAYOUT + 1).to_bytes(4, "little"))
        file.seek(96)
        file.write(b"9.9.9 \x1b[2J\0")
    with pytest.raises(horus.RegionError) as caught:
        horus.Topic("t", dict)
    assert f"expected a topic of HORUS {OURS} (layout version {LAYOUT})" in str(caught.value)
    assert f"got one of HORUS {OTHER} (layout version {LAYOUT + 1})" in str(caught.value)


def test_a_build_of_the_former_index_is_refused(build_of_horus, program):
    """Only the index's layout differs: one that takes bit 0 of the epoch for a mark does not come in."""
    older = build_of_horus(HORUS_VERSION=f'"{OTHER}"', HORUS_INDEX_LAYOUT=f"{_native.LAYOUTS[0] - 1}u")
    horus.Topic("t", dict).send({"a": 1})
    out, _ = program(older + OPEN).finish()
    assert f"HORUS {OURS} (layouts: index {_native.LAYOUTS[0]}," in out
    assert f"HORUS {OTHER} (layouts: index {_native.LAYOUTS[0] - 1}," in out
