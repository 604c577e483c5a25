"""What a command executes: found before anything starts, by the interpreter that runs HORUS."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from launch_files import nodes, planned, problems, write

from horus_plugins.packages.runner import PackageRunner

SHOW = "import json, os, sys; print(json.dumps([sys.argv, os.getcwd(), dict(os.environ)]))\n"


@pytest.fixture
def wander(monkeypatch):
    """An installed distribution `horus-wander` with one node, as its metadata say."""
    from horus_plugins.packages import installed

    packages = [
        installed.Package("horus-wander", "1.0", (installed.PackagedNode("wander", "wander:wander"),))
    ]
    monkeypatch.setattr(installed, "packages", lambda **_: packages)


def _words(tmp_path, line, **choice):
    return planned(tmp_path, nodes(line), **choice).nodes[0].command


# spec: A14, A29, C25, C33, F18, F19
def test_a_command_is_resolved_to_what_is_executed(tmp_path, wander):
    """`python3`, `horus run` and files become what is executed; nothing is started twice, or by another Python."""
    python = sys.executable
    motor = str(tmp_path / "motor")
    safe = ("-P",) if sys.version_info >= (3, 11) else ()
    expected = {
        "command: python3 -u -X dev node.py a b": (python, "-u", "-X", "dev", "node.py", "a", "b"),
        "command: python -c 'print(1)'": (python, "-c", "print(1)"),
        "command: python3 -m http.server": (python, "-m", "http.server"),
        "cmd: horus run node.py": (python, "node.py"),
        "cmd: horus run node.py -- --x 1, args: [2]": (python, "node.py", "--x", "1", "2"),
        "command: node.py --x": (python, "node.py", "--x"),
        "command: ./motor --speed 1": (motor, "--speed", "1"),
        "command: horus run ./motor -- 5": (motor, "5"),
        "command: [./motor, a b, '|']": (motor, "a b", "|"),
        "command: sh -c 'ls | cat'": (
            subprocess.check_output(["which", "sh"], text=True).strip(),
            "-c",
            "ls | cat",
        ),
        "command: horus run node.py motor": (python, *safe, "-m", "horus_cli", "run", "node.py", "motor"),
        "command: horus run --isolated node.py, args: [1]": (
            *(python, *safe, "-m", "horus_cli", "run", "--isolated", "node.py"),
            *("--", "1"),
        ),
        "command: horus topic list": (python, *safe, "-m", "horus_cli", "topic", "list"),
        "package: horus-wander, topics: {scan: front}, args: [3]": (
            *PackageRunner().command("horus-wander")[:-1],
            *("--name=a", "--topic=scan=front", "--", "3"),
        ),
        "command: horus run wander --rate 5 --param x=1": (
            *PackageRunner().command("wander")[:-1],
            *("--rate=5.0", "--param=x=1", "--"),
        ),
    }
    assert {line: _words(tmp_path, f"{{name: a, {line}}}") for line in expected} == expected


def test_scripts_of_the_project_are_found_from_the_folder_of_the_node(tmp_path):
    """`horus run drive` is what the horus.toml above the launch file says, wherever the launcher stands."""
    (tmp_path / "horus.toml").write_text('[scripts]\ndrive = "node.py"\nboth = ["node.py", "motor"]\n')
    assert _words(tmp_path, "{name: a, command: horus run drive}") == (
        sys.executable,
        str(tmp_path / "node.py"),
    )
    assert _words(tmp_path, "{name: a, command: horus run both}")[-2:] == ("run", "both")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("command: ./moter", "Did you mean 'motor'?"),
        ("command: motor", "write ./motor"),
        ("command: no-such-program", "not in PATH"),
        ("command: ./plain", "chmod +x"),
        ("command: ./folder", "directory"),
        ("command: ./lost", "#!/no/such/python"),
        ("command: python3 nod.py", "Did you mean 'node.py'?"),
        ("command: horus run nod.py", "Did you mean 'node.py'?"),
        ("command: horus run ./plain", "neither"),
        ("command: horus run nobody", "a packaged node"),
        ("command: horus run --rate 5 node.py", "a packaged node for these options"),
        ("command: horus run --rate fast wander", "invalid float"),
        ("command: broken.py", "broken.py:2"),
        ("command: python3 -u broken.py", "syntax error"),
        ("command: A=1 ./motor", "Variables go into `env`"),
        ("command: ./motor && ./motor", "there is no shell"),
        ("command: ./motor > log", "there is no shell"),
        ("command: ./motor 'x", "No closing quotation"),
        ("package: horus-wandr", "Did you mean 'horus-wander'?"),
        ("package: node.py", "`command: horus run node.py`"),
        ("command: ./motor, cwd: foldr", "Did you mean 'folder'?"),
    ],
)
def test_what_cannot_be_started_is_found_before_anything_starts(tmp_path, wander, line, said):
    """One problem at the line of the command, with the nearest name or the way out."""
    (tmp_path / "plain").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "lost").write_text("#!/no/such/python\n")
    (tmp_path / "lost").chmod(0o755)
    (tmp_path / "broken.py").write_text("x = 1\nx = = 2\n")
    found = problems(tmp_path, nodes(f"{{name: a, {line}}}"))
    assert len(found) == 1, found
    place, text = next(iter(found.items()))
    assert place.startswith("robot.yaml:2:")
    assert said in text


# spec: C5, C6, C7, C27, C28, F19, F21
def test_a_process_sees_what_the_plan_says(tmp_path):
    """Started as planned, from another folder: arguments, folder and environment are those of the file."""
    folder = tmp_path / "robot"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "show.py").write_text(SHOW)
    text = nodes(
        "{name: arm, cmd: horus run show.py, cwd: sub, args: [--fast, 1.0], rate_hz: 40, namespace: /left,"
        " params: {max_speed: 1.5, robot_id: 1, gains: [1, 2]}, env: {WHO: me}}"
    )
    plan = planned(folder, text, namespace="robot")
    node = plan.nodes[0]
    out = subprocess.check_output(node.command, cwd=node.cwd, env={**os.environ, **node.environment})
    argv, cwd, environ = json.loads(out)
    assert (argv, cwd) == (["show.py", "--fast", "1.0"], str(folder / "sub"))
    assert {name: text for name, text in environ.items() if name.startswith("HORUS_")}.items() >= {
        "HORUS_NODE_NAME": "arm",
        "HORUS_NAMESPACE": "robot",
        "HORUS_NODE_NAMESPACE": "left",
        "HORUS_NODE_RATE": "40",
        "HORUS_PARAM_MAX_SPEED": "1.5",
        "HORUS_PARAM_ROBOT_ID": "1",
        "HORUS_PARAMS_JSON": '{"max_speed": 1.5, "robot_id": 1, "gains": [1, 2]}',
    }.items()
    assert environ["WHO"] == "me"


def test_a_launch_inside_of_a_group_stays_inside(tmp_path, monkeypatch):
    """A launch file that another one starts as a node has its prefix after that of the node."""
    monkeypatch.setenv("HORUS_NODE_NAMESPACE", "/hall/")
    text = nodes("{name: a, command: ./motor, namespace: arm}", "{name: b, command: ./motor}")
    plan = planned(tmp_path, text)
    assert plan.node("a").environment["HORUS_NODE_NAMESPACE"] == "hall/arm"
    assert "HORUS_NODE_NAMESPACE" not in plan.node("b").environment


def test_paths_start_at_the_folder_of_the_file(tmp_path, monkeypatch):
    """The launcher's own folder means nothing, also where the file is reached through a link."""
    folder = tmp_path / "robot"
    folder.mkdir()
    path = write(folder, nodes("{name: a, command: ./motor}"))
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    monkeypatch.chdir(tmp_path)
    from horus_plugins.launch.file.launch_file import load

    plan = load("link.yaml").plan(namespace="x")
    assert plan.nodes[0].cwd == str(folder)
    assert plan.nodes[0].command == (str(folder / "motor"),)
    assert plan.session == "robot"
