"""Type checkers accept the guide's examples, and find mistakes in code like theirs."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ["talker.py", "listener.py", "cmd_vel/driver.py", "cmd_vel/base.py"]
SCRIPTS += ["guide/camera.py", "guide/detector.py", "guide/controller.py"]
CHECKERS = {"mypy": ["mypy", "--strict", "--explicit-package-bases"], "pyright": ["pyright"]}

MISTAKES = """\
import horus


def tick(node: horus.Node) -> None:
    node.send("cmd_vel", horus.CmdVel(linear="fast"))
    node.sned("cmd_vel", horus.CmdVel(linear=1.0))


horus.run(horus.Node("wrong", tick=tick, rate="often"))
"""


@pytest.fixture(params=CHECKERS)
def check(request):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed: `make setup` does it")

    def check(*files):
        return subprocess.run(
            [sys.executable, "-m", *CHECKERS[request.param], *map(str, files)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    return check


# spec: E3, A57
def test_the_guide_s_examples_are_typed(check):
    """Both checkers, mypy in its strict mode, have nothing to say about the examples that readers copy."""
    done = check(*(ROOT / "examples" / script for script in SCRIPTS))
    assert done.returncode == 0, done.stdout + done.stderr


# spec: E3, A21
def test_mistakes_are_found(check, tmp_path):
    """A wrong field type, a misspelt method and a wrong keyword's type are reported, each at its line."""
    script = tmp_path / "wrong.py"
    script.write_text(MISTAKES)
    done = check(script)
    assert done.returncode == 1, done.stdout + done.stderr
    for line in (5, 6, 9):
        assert f"wrong.py:{line}:" in done.stdout, done.stdout
