"""The units that `horus service` writes: what systemd reads in them, and whether it takes them."""

# spec: A17, A34, D7, D9, D11

from __future__ import annotations

import configparser
import shutil
import sys
from pathlib import Path

import pytest

from horus_core.errors import ConfigError, InvalidNameError
from horus_plugins.services import installing, systemd, unit, wanted
from horus_plugins.services.wanted import Wanted

HOSTILE = 'a b"c\\d%n$HOME'


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "sensor.py"
    path.write_text("import horus\n")
    return str(path)


def _wanted(*targets, **said):
    return Wanted(
        **{"targets": targets, "name": "sensor", "namespace": "production", "user": "daemon", **said}
    )


def _sections(text):
    reader = configparser.RawConfigParser(strict=False)
    reader.optionxform = str
    reader.read_string(text)
    return reader


def test_one_target_is_one_service(script):
    """The unit runs the file with this interpreter's command, as the user, in the namespace, and restarts it."""
    (made,) = wanted.units(_wanted(script))
    assert made.name == "horus-sensor.service"
    service = _sections(made.text)["Service"]
    assert service["ExecStart"].split() == [str(Path(sys.executable).parent / "horus"), "run", script]
    assert service["User"] == "daemon"
    assert service["Restart"] == "on-failure"
    assert (service["LimitMEMLOCK"], service["LimitRTPRIO"]) == ("infinity", "99")
    assert service["AmbientCapabilities"] == "CAP_SYS_NICE CAP_IPC_LOCK"
    assert (service["Type"], service["WatchdogSec"]) == ("notify", "10")
    assert "Environment=HORUS_NAMESPACE=production\n" in made.text
    assert f"Environment=PATH={Path(sys.executable).parent}:" in made.text
    assert _sections(made.text)["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize(
    ("said", "key", "value"),
    [
        ({"restart": "always"}, "Restart", "always"),
        ({"restart_s": 1.5}, "RestartSec", "1.5"),
        ({"watchdog_s": 0.0}, "WatchdogSec", None),
        ({"notify": False}, "WatchdogSec", None),
        ({"notify": False}, "Type", "simple"),
        ({"realtime": False}, "LimitRTPRIO", None),
        ({"realtime": False}, "AmbientCapabilities", None),
        ({"groups": ("dialout", "video")}, "SupplementaryGroups", "dialout video"),
        ({"user": None}, "User", None),
        ({"user": None}, "AmbientCapabilities", None),
    ],
)
def test_what_is_said_changes_the_unit(script, said, key, value):
    """Each option arms something."""
    (made,) = wanted.units(_wanted(script, **said))
    assert _sections(made.text)["Service"].get(key) == value


def test_a_launch_file_is_launched(tmp_path):
    """A .yaml is run by `horus launch`."""
    path = tmp_path / "robot.yaml"
    path.write_text("nodes: []\n")
    (made,) = wanted.units(_wanted(str(path)))
    assert _sections(made.text)["Service"]["ExecStart"].endswith(f"horus launch {path}")


def test_a_path_with_dots_is_one_that_systemd_takes(tmp_path, monkeypatch):
    """`../robot.yaml` works, too: systemd refuses folders with `..`. A link to a folder stays one."""
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    for name in ("robot.yaml", "one/robot.yaml"):
        (tmp_path / name).write_text("nodes: []\n")
    monkeypatch.chdir(tmp_path / "one")
    for target, folder in (
        ("../robot.yaml", "."),
        ("robot.yaml", "one"),
        (f"{tmp_path}/link/robot.yaml", "link"),
    ):
        (made,) = wanted.units(_wanted(target))
        service = _sections(made.text)["Service"]
        assert service["WorkingDirectory"] == str(tmp_path / folder)
        assert service["ExecStart"].endswith(f"horus launch {tmp_path / folder / 'robot.yaml'}")


def test_systemd_waits_for_as_long_as_a_launch_file_takes_to_stop(tmp_path, script):
    """Its phases and what comes after them are over before systemd kills."""
    path = tmp_path / "slow.yaml"
    path.write_text("stop: {graceful: 30, terminate: 20}\nnodes: [{name: a, command: sleep 1}]\n")
    assert installing.stop_time_of([script]) == 15
    stop_s = installing.stop_time_of([script, str(path)])
    (made,) = wanted.units(_wanted(str(path), stop_s=stop_s))
    assert _sections(made.text)["Service"]["TimeoutStopSec"] == "60"


def test_several_targets_start_in_order_under_one_target(tmp_path):
    """Each is a service after the one before it; the .target wants all, and stopping it stops them."""
    paths = []
    for name in ("camera", "planner"):
        (tmp_path / f"{name}.py").touch()
        paths.append(str(tmp_path / f"{name}.py"))
    camera, planner, group = wanted.units(_wanted(*paths, name="robot", after=("gpsd.service",)))
    assert group.name == "horus-robot.target"
    assert _sections(group.text)["Unit"]["Wants"] == f"{camera.name} {planner.name}"
    assert _sections(camera.text)["Unit"]["After"] == "network.target gpsd.service"
    assert _sections(planner.text)["Unit"]["After"].endswith(camera.name)
    assert _sections(planner.text)["Unit"]["PartOf"] == group.name
    assert _sections(planner.text)["Install"]["WantedBy"] == group.name


def test_hostile_paths_and_values_stay_one_word(tmp_path):
    """Spaces, quotes, backslashes, % and $ of paths and values reach the program as they are."""
    folder = tmp_path / HOSTILE
    folder.mkdir()
    (folder / "né.py").touch()
    (made,) = wanted.units(_wanted(str(folder / "né.py"), environment={"TEXT": f"{HOSTILE}\nnew line"}))
    assert "\nnew line" not in made.text
    assert 'run "' in made.text
    assert "%%n$$HOME" in made.text
    assert systemd.problems([made]) in ([], None)


def test_quoting():
    """A word is quoted where systemd would split, expand or end it."""
    assert unit.command(["/bin/x", "--a=b", "c d", "$E", "50%", ""]) == '/bin/x --a=b "c d" "$$E" 50%% ""'


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"name": "a/b"}, "name of a service"),
        ({"environment": {"A B": "1"}}, "NAME=VALUE"),
        ({"targets": ("nothing.py",)}, "expected a file"),
        ({"namespace": "no/name"}, "namespace"),
    ],
)
def test_what_cannot_be_a_service(script, said, error):
    """Bad names and files that are not there are refused before anything is written."""
    with pytest.raises((ConfigError, InvalidNameError), match=error):
        wanted.units(_wanted(script, **said))


def test_targets_of_one_name(tmp_path):
    """Two targets whose units would have one name are refused."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").touch()
    with pytest.raises(ConfigError, match="names differ"):
        wanted.units(_wanted(str(tmp_path / "a" / "x.py"), str(tmp_path / "b" / "x.py")))


def test_nobody_runs_robots_as_root_by_accident():
    """Root must be named; a user must be there."""
    with pytest.raises(ConfigError, match="--user"):
        installing.user(None, "root")
    assert installing.user("root", None) == "root"
    assert installing.user(None, "daemon") == "daemon"
    with pytest.raises(ConfigError, match="no-such-user"):
        installing.user("no-such-user", None)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path):
    """`systemd-analyze verify` finds nothing wrong with what we write, and finds what is wrong."""
    paths = []
    for name in ("camera", "planner"):
        (tmp_path / f"{name}.py").touch()
        paths.append(str(tmp_path / f"{name}.py"))
    assert systemd.problems(wanted.units(_wanted(*paths, groups=("video",)))) == []
    wrong = wanted.units(_wanted(paths[0], restart="sometimes"))
    assert any("sometimes" in line for line in systemd.problems(wrong))
