"""References: of the environment, of loops, of parameters; what is replaced, what stays, what is refused."""

from __future__ import annotations

import pytest
from launch_files import nodes, planned, problems

PARAM = "nodes:\n  - name: a\n    command: ./motor\n    params:\n      n: 3\n      x: {}\n"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${RATE}", 50),
        ('"${RATE}"', 50),
        ("!!str ${RATE}", "50"),
        ('!!str "${param:n}"', "3"),
        ("r${RATE}", "r50"),
        ("${EMPTY:-7}", 7),
        ("${NOWHERE:-1.5}", 1.5),
        ('"${NOWHERE:-1.5}"', 1.5),
        ("${NOWHERE:-}", ""),
        ("${NOWHERE:-${RATE}}", 50),
        ('"${NOWHERE:-a${RATE}b}"', "a50b"),
        ("${FLAG}", True),
        ("${YES}", "yes"),
        ("${SERIAL}", "00042"),
        ("$$HOME", "$HOME"),
        ('"$${RATE}"', "${RATE}"),
        ('"5$ and ^a$"', "5$ and ^a$"),
        ("${param:n}", 3),
        ('"n=${param:n}"', "n=3"),
        ("${param:m:-9}", 9),
        ('"${DOLLAR}"', "$NOT_AGAIN"),
    ],
)
def test_a_reference_is_replaced(tmp_path, monkeypatch, written, value):
    """Alone it keeps its type, quoted and inside of text it is text; what comes in is not looked at again."""
    for name, text in {"RATE": "50", "EMPTY": "", "FLAG": "true", "YES": "yes", "SERIAL": "00042"}.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("DOLLAR", "$NOT_AGAIN")
    found = planned(tmp_path, PARAM.format(written)).node("a").params["x"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("${HORUS_NOT_SET}", "to be set"),
        ("${HOMES}", "Did you mean 'HOME'?"),
        ('"${HOME"', "closing brace"),
        ("$HOME/x", "$$HOME"),
        ('"$(date)"', "no shell"),
        ('"${a-b}"', "expected ${NAME}"),
        ("${param:m}", "a parameter of this node"),
        ("${param:x}", "x -> x"),
    ],
)
def test_what_cannot_be_replaced_is_told_at_its_place(tmp_path, monkeypatch, written, said):
    """One problem, where the reference stands."""
    monkeypatch.setenv("HOME", "/root")
    found = problems(
        tmp_path, f"nodes:\n  - name: a\n    command: ./motor\n    params:\n      x: {written}\n"
    )
    assert list(found) == ["robot.yaml:5:10"], found
    assert said in found["robot.yaml:5:10"]


def test_references_work_in_every_value(tmp_path, monkeypatch):
    """Session, namespace, names, commands, numbers, lists; a whole list may come from a parameter."""
    monkeypatch.setenv("ROBOT", "r9")
    monkeypatch.setenv("WAIT", "0.5")
    text = """\
session: s-${ROBOT}
namespace: ${ROBOT}
nodes:
  - {name: "${ROBOT}", command: "./motor ${param:speeds} '${ROBOT} x' ${NOTHING:-} ''", start_delay: "${WAIT}",
     params: {speeds: [1, 2]},
     args: ["${param:speeds}x"], env: {WHO: "${ROBOT}"}, restart: {policy: "${POLICY:-always}", max: "${MAX:-3}"}}
  - {name: "${NUMBER:-5}", command: ./motor, depends_on: ["${ROBOT}"], start_delay: "${WAIT:-1}"}
"""
    plan = planned(tmp_path, text, namespace=None)
    assert [one.name for one in plan.nodes] == ["r9", "5"]
    assert (plan.node("r9").restart.policy, plan.node("r9").restart.max) == ("always", 3)
    node = plan.node("r9")
    assert (plan.session, plan.namespace, node.start_delay_s) == ("s-r9", "r9", 0.5)
    assert node.command[1:] == ("[1, 2]", "r9 x", "", "[1, 2]x")
    assert node.environment["WHO"] == "r9"


def test_set_replaces_a_parameter_before_others_refer_to_it(tmp_path):
    """`--set node.param=value`: JSON where it is, else text; the longest node's name that fits is meant."""
    text = nodes(
        '{name: a, command: "./motor ${param:x} ${param:y}", params: {x: 1, y: "${param:x}"}}',
        "{name: a.b, command: ./motor}",
    )
    plan = planned(tmp_path, text, sets=("a.x=2.5", "a.b.c=[1, true]", "a.new=no", "a.s=a=b", "a.n=NaN"))
    assert plan.node("a").command[1:] == ("2.5", "2.5")
    assert plan.node("a").params == {"x": 2.5, "y": 2.5, "new": "no", "s": "a=b", "n": "NaN"}
    assert plan.node("a.b").params == {"c": [1, True]}
    said = problems(tmp_path, text, sets=("x.y=1", "a", "a.=1", "a.b c=1"))
    assert [part in " ".join(said.values()) for part in ("got 'x'", "node.param=value", "got 'b c'")] == [
        True
    ] * 3
