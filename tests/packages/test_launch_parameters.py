"""The parameters that a launch file gives packaged nodes, held against what these declare before anything starts."""

from __future__ import annotations

HOSTILE = """
import os, sys, time
if os.environ.get("HANGS"):
    time.sleep(1000)
print("imported")
sys.exit("no camera")
"""
BAD = """
params: {steps: 2.5}
nodes:
  - name: right
    package: horus-drive:drive
    params: {max_speed: 1, steps: 4, own: text}
  - name: wrong
    package: horus-drive
    params:
      max_speed: fast
      step: 3
"""


# spec: F33
def test_what_a_package_would_refuse_is_a_problem_of_the_file(drive):
    """An int is a float where one is wanted; all else is refused at its line; a near miss is said."""
    file = drive.work / "robot.yaml"
    file.write_text(BAD)
    checked = drive.horus("launch", "robot.yaml", "--check")
    assert checked.code == 1, checked
    assert checked.out.splitlines() == [
        "robot.yaml:2:17: params of node 'wrong': Bad parameter 'steps': expected int, got 2.5 "
        "(from the launch file).",
        "robot.yaml:10:18: params of node 'wrong': Bad parameter 'max_speed': expected float (m/s), got 'fast' "
        "(from the launch file).",
    ]
    assert "declares no" not in checked.err  # it has `steps`, from the file
    started = drive.horus("launch", "robot.yaml", "--set", "wrong.max_speed=true", "--set", "right.steps=x")
    assert started.code == 1
    assert "nothing was started" in started.err
    assert "--set wrong.max_speed: params of node 'wrong': Bad parameter 'max_speed'" in started.err
    assert "--set right.steps: params of node 'right': Bad parameter 'steps'" in started.err
    file.write_text(BAD.replace("params: {steps: 2.5}", "").replace("fast", "3"))
    near = drive.horus("launch", "robot.yaml", "--check")
    assert near.code == 0, near
    assert (
        "robot.yaml:11: params of node 'wrong': its package declares no 'step'. Did you mean 'steps'?"
        in near.err
    )


def test_a_package_that_cannot_be_looked_into_stops_no_launch(site):
    """One that ends the process is said, with why, and what it prints is not seen. Without parameters, no import."""
    site.package("horus-bad", HOSTILE, "bad")
    file = site.work / "robot.yaml"
    file.write_text("nodes: [{name: a, package: horus-bad, params: {x: 1}}]")
    checked = site.horus("launch", "robot.yaml", "--check")
    assert checked.code == 0, checked
    assert "params of node 'a' were not checked: Loading horus-bad" in checked.err
    assert "no camera" in checked.err
    assert "imported" not in checked.out
    site.horus("launch", "robot.yaml", "--list")
    file.write_text("nodes: [{name: a, package: horus-bad}]")
    site.horus("launch", "robot.yaml", "--check")
    assert site.imports == ["horus_bad"]


def test_one_that_hangs_is_waited_for_only_so_long(site, monkeypatch):
    """What comes before it is answered, what comes after it is not known."""
    from horus_plugins.packages import declared

    site.package("horus-bad", HOSTILE, "bad")
    for name, value in {**site.environment, "HANGS": "1"}.items():
        monkeypatch.setenv(name, value)
    asked = [declared.Asked(["horus-none:x"], {}), *[declared.Asked(["horus-bad:bad"], {"x": 1})] * 2]
    first, *others = declared.ask(asked, patience_s=1.0)
    assert "expected an installed distribution" in first.unknown
    assert [one.unknown for one in others] == ["importing takes longer than 1 s"] * 2
