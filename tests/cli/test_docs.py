"""What docs/cli.md shows is what the command does."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
# spec: A17
def test_the_systemd_unit_is_valid(tmp_path):
    """`systemd-analyze verify` accepts the unit (with the paths of this machine)."""
    unit = re.search(r"```ini\n(.*?)```", TEXT, re.DOTALL).group(1)
    for line in (
        "Restart=always",
        "RestartSec=1",
        "Environment=HORUS_NAMESPACE=production",
        "After=network.target",
    ):
        assert line in unit.splitlines()
    horus = Path(sys.executable).parent / "horus"
    (tmp_path / "horus-sensor.service").write_text(unit.replace("/usr/local/bin/horus", str(horus)))
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "horus-sensor.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "horus-sensor" not in ended.stderr


def test_every_run_command_of_the_page_works(horus, script):
    """Each line of the page's first block, with small files of those names."""
    for name in ("sensor", "controller", "nodes/one", "nodes/two", "detector", "a", "b"):
        script(f"{name}.py", "print('ran')")
    script("motor_controller", "#!/bin/sh\necho ran\n", mode=0o755)
    block = re.search(r"## horus run\n\n```\n(.*?)```", TEXT, re.DOTALL).group(1)
    for line in block.splitlines():
        ended = subprocess.run(
            line.replace("horus", f"'{sys.executable}' -m horus_cli", 1),
            shell=True,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert "ran" in ended.stdout
