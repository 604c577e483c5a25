"""Every key is checked, and every problem is in one report, with its place and the nearest name."""

from __future__ import annotations

import pytest
from launch_files import nodes, planned, problems

BAD = """\
sesion: a
namespace: "a b"
nodes:
  - name: a
    pakage: x
    command: ./moto
    rate_hz: fast
    depends_on: [b, zz]
  - name: b
    command: python3 nod.py
    depends_on: [c]
    restart: sometimes
  - name: c
    cmd: ls | cat
    depends_on: [b]
    restart: {policy: always, mx: 3}
  - name: c
    package: horus-nowhere
    env: {A: null, HORUS_NAMESPACE: x}
    params: {a: , "b c": 1}
  - name: "x y"
    command: a "b
  - command: ./motor
  - name: e
    command: ./motor
    cmd: z
    start_delay: -1
    args: foo
    cwd: nowhere
    on_exit: stop
  - name: f
    command: ${HORUS_NOT_SET} $HOME
  - foo
"""
PLACES = {
    "robot.yaml:1:1": "unknown key 'sesion' in the launch file. Did you mean 'session'?",
    "robot.yaml:2:12": "expected 1 to 48 characters",
    "robot.yaml:5:5": "unknown key 'pakage' in node 'a'. Did you mean 'package'?",
    "robot.yaml:6:14": "Did you mean 'motor'?",
    "robot.yaml:7:14": "rate_hz of node 'a': expected Hz above 0 and up to 1e+06, got 'fast'.",
    "robot.yaml:8:21": "expected a node, got 'zz'",
    "robot.yaml:10:14": "Did you mean 'node.py'?",
    "robot.yaml:11:17": "expected no circle, got b -> c -> b",
    "robot.yaml:12:14": "`never`, `on-failure`, `always`",
    "robot.yaml:14:10": "there is no shell",
    "robot.yaml:16:31": "unknown key 'mx' in restart of node 'c'. Did you mean 'max'?",
    "robot.yaml:17:11": "robot.yaml:13 has it, too",
    "robot.yaml:18:14": "expected an installed package",
    "robot.yaml:19:14": "expected text for 'A', got nothing",
    "robot.yaml:19:20": "Use `namespace` of the file",
    "robot.yaml:20:16": "expected a value for 'a'",
    "robot.yaml:20:19": "got 'b c'",
    "robot.yaml:21:11": "expected 1 to 128 characters",
    "robot.yaml:22:14": "No closing quotation",
    "robot.yaml:23:5": "to have a 'name', got none",
    "robot.yaml:26:5": "one of package, command and cmd, got command and cmd",
    "robot.yaml:27:18": "expected seconds, 0 or more, got -1",
    "robot.yaml:28:11": "a list of texts",
    "robot.yaml:29:10": "expected a folder, got 'nowhere'",
    "robot.yaml:30:14": "`continue` or `shutdown`, got 'stop'",
    "robot.yaml:32:14": "expected 'HORUS_NOT_SET' to be set",
    "robot.yaml:33:5": "expected a node",
}


# spec: F19
def test_all_problems_are_in_one_report(tmp_path):
    """27 mistakes of all kinds, each told once with file, line and column, in the order of the lines."""
    found = problems(tmp_path, BAD)
    assert list(found) == list(PLACES)
    assert [place for place, said in PLACES.items() if said not in found[place]] == []


# spec: C24, C25, C29, C30, C31
def test_each_key_reaches_the_plan(tmp_path):
    """All keys of a node, set to what is not their default."""
    text = """\
session: everything
namespace: robot
env: {HORUS_LOG_LEVEL: info, SCALE: 1.0, DRY: true}
params: {frame: map}
stop: {graceful: 0.5, terminate: 7}
nodes:
  - name: base
    cmd: ./motor
  - name: arm
    command: ./motor --fast
    args: [1.0, two, true]
    rate_hz: 12.5
    priority: -3
    namespace: /arm/
    params: {max_speed: 1.5}
    env: {CUDA_VISIBLE_DEVICES: "0", SCALE: 2}
    cwd: .
    depends_on: {base: started}
    start_delay: 0.25
    ready_timeout: 9
    restart: {policy: on-failure, max: 3, window: 60, backoff: 20, stable: 5}
    on_exit: shutdown
"""
    plan = planned(tmp_path, text, namespace=None)
    arm = plan.node("arm")
    assert (plan.session, plan.namespace) == ("everything", "robot")
    assert (plan.stop.graceful_s, plan.stop.terminate_s) == (0.5, 7.0)
    assert arm.command == (str(tmp_path / "motor"), "--fast", "1.0", "two", "true")
    assert arm.environment == {
        "HORUS_NODE_NAME": "arm",
        "HORUS_NAMESPACE": "robot",
        "HORUS_NODE_NAMESPACE": "arm",
        "HORUS_NODE_RATE": "12.5",
        "HORUS_PARAM_FRAME": "map",
        "HORUS_PARAM_MAX_SPEED": "1.5",
        "HORUS_PARAMS_JSON": '{"frame": "map", "max_speed": 1.5}',
        "HORUS_LOG_LEVEL": "info",
        "SCALE": "2",
        "DRY": "true",
        "CUDA_VISIBLE_DEVICES": "0",
    }
    assert [(one.node, one.condition) for one in arm.depends_on] == [("base", "started")]
    assert (arm.start_delay_s, arm.ready_timeout_s, arm.on_exit, arm.priority) == (0.25, 9.0, "shutdown", -3)
    restart = arm.restart
    assert (restart.policy, restart.max, restart.window_s) == ("on-failure", 3, 60.0)
    assert (restart.backoff_s, restart.max_backoff_s, restart.stable_s) == (20.0, 20.0, 5.0)
    base = plan.node("base")
    assert (base.restart.policy, base.restart.max, base.on_exit) == ("never", 10, "continue")
    assert (base.restart.backoff_s, base.restart.max_backoff_s) == (0.1, 10.0)
    assert plan.places == {"base": f"{tmp_path}/robot.yaml:7", "arm": f"{tmp_path}/robot.yaml:9"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{name: a}", "got none"),
        ("{name: 5, command: ./motor}", 'For text write "5" in quotes.'),
        ("{name: .., command: ./motor}", "1 to 128 characters"),
        ("{name: a, command: ./motor, rate_hz: 0}", "above 0"),
        ("{name: a, command: ./motor, rate_hz: 2e6}", "above 0"),
        ("{name: a, command: ./motor, priority: high}", "an integer"),
        ("{name: a, command: ./motor, priority: 1.5}", "an integer"),
        ("{name: a, command: ./motor, namespace: a//b}", "slashes between"),
        ("{name: a, command: ./motor, namespace: horus.x}", "HORUS's own"),
        ("{name: a, command: ./motor, namespace: ../x}", "'..'"),
        ("{name: a, command: ./motor, params: [1]}", "expected names and values"),
        ("{name: a, command: ./motor, env: x}", "expected names and values"),
        ("{name: a, command: ./motor, env: {HORUS_NODE_RATE: 3}}", "Use `rate_hz`"),
        ("{name: a, command: ./motor, env: {HORUS_PARAM_X: 3}, params: {x: 1}}", "HORUS_PARAM_X once"),
        ("{name: a, command: ./motor, params: {a-b: 1, a_b: 2}}", "differ in HORUS_PARAM_A_B"),
        ("{name: a, command: ./motor, depends_on: [a]}", "a -> a"),
        ("{name: a, command: ./motor, depends_on: {a: healthy}}", "`started`, `ready` or `completed`"),
        ("{name: a, command: ./motor, topics: {a: b}}", "packaged node only"),
        ("{name: a, command: ./motor, restart: {max: 3}}", "to have a 'policy'"),
        ("{name: a, command: ./motor, restart: {policy: always, max: -1}}", "0 or more"),
        (
            "{name: a, command: ./motor, restart: {policy: always, backoff: 5, max_backoff: 1}}",
            "at least backoff",
        ),
        ("{name: a, command: [], args: [1]}", "a command line"),
        ("{name: a, command: ''}", "a command line"),
        ("{name: a, command: [1]}", "a command line"),
        ("{name: a, command: ./motor, args: [[1]]}", "a list of texts"),
        ("{name: a, command: ./motor, start_delay: }", "got nothing"),
        ("{name: a, command: ./motor, ready_timeout: 0}", "seconds above 0"),
    ],
)
def test_a_bad_value_is_told_with_what_was_expected(tmp_path, line, said):
    """One mistake, one problem, at its line."""
    found = problems(tmp_path, nodes(line))
    assert len(found) == 1, found
    place, text = next(iter(found.items()))
    assert place.startswith("robot.yaml:2:")
    assert said in text


def test_a_variable_that_no_process_can_be_given_is_refused(tmp_path):
    """Linux takes 128 KiB a variable: more would fail at the start of the node, with nobody knowing why."""
    text = nodes("{name: a, command: ./motor, params: {map: %s}}" % ("x" * 140_000))
    assert "128 KiB" in str(problems(tmp_path, text))
