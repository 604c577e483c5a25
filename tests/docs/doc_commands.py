"""How each command in the pages is kept true. A command that fits nothing here fails the tests."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]

HELP = re.compile(r"(?:\S+/)?horus(?: [a-z]+)* (?:--help|-h|--version)")
"""Run, and its output compared where the page shows it."""

MAKE = re.compile(r"make(?: [a-z-]+)?(?: [A-Z]+=\S*)*")
"""Make is asked whether it knows the target."""

PAIR = re.compile(r"(?:HORUS_\w+=\S+ )*horus run (?:examples/)?talker\.py (?:examples/)?listener\.py")
"""Run until the listener hears the talker, then interrupted."""

SCRIPTS = re.compile(
    r"(?:HORUS_\w+=\S+ )*(?:horus run|python3?|\.venv/bin/python) (?P<scripts>\S+\.py(?: \S+\.py)*)(?: --\S+)*"
)
"""The scripts exist in examples/; tests/examples runs each of them."""

SHORT = re.compile(
    r"horus (?:--namespace \w+ )?"
    r"(?:clean|topic list|blackbox|msg list|msg show \w+|plugin list|plugin (?:check|info)(?: horus-core)?"
    r"|version|package list|logs(?!.* -f)(?: \S+)*)"
    r"(?: --?[a-z-]+)*"
)
"""Run: it ends by itself."""

ELSEWHERE = {
    r"python3 -m venv \S+": "packaging/test_wheel.py",
    r"\. \S+/bin/activate": "packaging/test_wheel.py",
    r"pip install \.": "packaging/test_sdist.py",
    r"pip wheel \.": "packaging/test_wheel.py",
    r"pip install packages/horus-wander": "packaging/test_packages.py",
    r"horus run (?:horus-)?wander.*": "packaging/test_packages.py",
    r"horus package .*": "packages/test_package_command.py",
    r"\.ci/(?:run|pythons)": "../.ci/run",
    r"(?:HORUS_\w+=\S+ )*horus run (?:--isolated )?\S+\.py.*": "cli/test_docs.py",
    r"horus run motor_controller detector\.py": "cli/test_docs.py",
    r"horus launch .*": "launch/test_file_command.py",
    r"horus blackbox \S+ .*": "cli/test_blackbox.py",
    r"horus logs? .*": "cli/test_logs.py",
    r"horus node (?:kill|pause|resume|restart) .*": "cli/test_node_verbs.py",
    r"horus topic (?:info|find|hz|bw|delay) .*": "cli/test_topic_observers.py",
    r"horus estop .*": "cli/test_estop.py",
    r"horus graph(?: .*)?": "cli/test_graph.py",
    r"horus msg .*": "cli/test_msg.py",
    r"horus node (?:list|info)(?: .*)?": "cli/test_node_list.py",
    r"(?:HORUS_\w+=\S+ )?horus param .*": "cli/test_param.py",
    r"(?:sudo )?horus service .*": "cli/test_service.py",
    r"sudo useradd .*|(?:sudo )?(?:systemctl|journalctl) .*": "systemd/__main__.py",
    r"horus completion .*|eval .*horus completion .*": "cli/test_help.py",
    r"horus plugin (?:en|dis)able .*": "plugins/test_switches.py",
    r"horus topic echo .*": "cli/test_topic_echo.py",
    r"horus topic pub .*": "cli/test_topic_pub.py",
    r"horus new .*": "cli/test_new.py",
    r"horus (?:un)?install .*": "cli/test_install.py",
    r"pip install -e '\.\[test\]'|pytest": "templates/test_generated.py",
    r"make -C examples/motor": "examples/test_motor.py",
    r"horus run examples/motor/motor_controller examples/motor/teleop\.py": "examples/test_motor.py",
    r"apt(?:-get)? install .*": "../.ci/run",
}
"""What would be too slow or too much here, and the file that does it."""


def covered_elsewhere(command):
    """The file that runs such a command, or None."""
    for pattern, file in ELSEWHERE.items():
        if re.fullmatch(pattern, command):
            return HERE / file
    return None
