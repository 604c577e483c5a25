"""The file of parameters: which one, what its scalars are, and what is said of a bad one."""

from __future__ import annotations

import pytest

import horus
from horus_core.params import files

YAML = """\
# of the robot
max_speed: 1.5
whole: 1
serial: 123E5
quoted: "1.5"
on: on
time: 1:30
octal: 010
day: 2026-01-31
gains: {p: 1.0, i: [1, 2]}
"""


# spec: F20, F21
def test_which_file(fresh, tmp_path):
    """horus.yaml is read where there is no horus.toml; HORUS_PARAMS_FILE is read instead of both."""
    (tmp_path / "horus.yaml").write_text("name: robot\nparams:\n  speed: 1\n")
    params = fresh()
    assert (params["speed"], params.origin("speed")) == (1, f"{tmp_path}/horus.yaml:3")
    (tmp_path / "horus.toml").write_text("[params]\nspeed = 2\n")
    assert fresh()["speed"] == 2
    (tmp_path / "mine.yaml").write_text("speed: 3\n")
    assert fresh(HORUS_PARAMS_FILE="mine.yaml")["speed"] == 3
    with pytest.raises(horus.ConfigError, match=r"none\.yaml"):
        fresh(HORUS_PARAMS_FILE="none.yaml")


def test_yaml_has_no_surprises(fresh, tmp_path):
    """Scalars are what JSON says they are, else text; a parameter that is text gets what stands there."""
    (tmp_path / "p.yaml").write_text(YAML)
    params = fresh(HORUS_PARAMS_FILE="p.yaml")
    assert dict(params) == {
        "max_speed": 1.5,
        "whole": 1,
        "serial": 123e5,
        "quoted": "1.5",
        "on": "on",
        "time": "1:30",
        "octal": "010",
        "day": "2026-01-31",
        "gains": {"p": 1.0, "i": [1, 2]},
    }
    assert params.declare("serial", default="").value == "123E5"
    assert repr(params.declare("whole", default=0.5).value) == "1.0"
    with pytest.raises(horus.ParamError, match=r"expected float, got '1\.5' \(from .*p\.yaml:5\)"):
        params.declare("quoted", default=1.0)


def test_json_and_toml(fresh, tmp_path):
    """The same names and values in other clothes."""
    (tmp_path / "p.json").write_text('{"speed": 1.5, "label": "7"}')
    assert dict(fresh(HORUS_PARAMS_FILE="p.json")) == {"speed": 1.5, "label": "7"}
    (tmp_path / "p.toml").write_text('speed = 1.5\nlabel = "7"\n')
    assert dict(fresh(HORUS_PARAMS_FILE="p.toml")) == {"speed": 1.5, "label": "7"}


BAD = {
    "a: 1\nb: 2\na: 3\n": "p.yaml:3: expected each name once, got 'a' again",
    "a: 1\nb:\n": "p.yaml:2: expected a value, got none",
    "a b: 1\n": "p.yaml:1: Bad parameter name",
    "- 1\n": "p.yaml:1: expected names and values",
    "a: !!python/object:os.system x\n": "p.yaml:1: expected a number, true, false, text",
    "a: [1\nb: 2\n": "p.yaml:2: expected YAML",
    "? [1]\n: 2\n": "p.yaml:1: expected a name",
    "a: " + "[" * 1200 + "\n": "p.yaml:",
    "a: &a [1,1,1,1,1,1,1,1]\n"
    + "".join(
        f"b{n}: &b{n} [{','.join(['*' + ('a' if not n else f'b{n - 1}')] * 9)}]\n" for n in range(9)
    ): "p.yaml:",
}


@pytest.mark.parametrize("text", BAD, ids=[text[:12] for text in BAD])
def test_bad_files_are_told_by_line(fresh, tmp_path, text):
    """What cannot be a parameter is an error with its line, whatever a hostile file does."""
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(horus.ParamError) as caught:
        fresh(HORUS_PARAMS_FILE="p.yaml")
    assert BAD[text] in str(caught.value)


def test_all_problems_at_once(tmp_path):
    """One report has them all."""
    path = tmp_path / "horus.toml"
    path.write_text("[params]\na = nan\n'b c' = 1\nday = 2026-01-31\n")
    with pytest.raises(horus.ParamError) as caught:
        files.values(path, "params")
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()[1:]] == [
        f"{path}:{number}" for number in (2, 3, 4)
    ]
