"""The recipes of docs/logs.md for the journal are what journalctl and journald take."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"^(journalctl -u robot .*?)\s+#", PAGE, re.MULTILINE)


# spec: D15
@pytest.mark.skipif(shutil.which("journalctl") is None, reason="a machine without systemd")
def test_journalctl_takes_the_recipes(tmp_path):
    """As it comes, the last 100 lines, since boot, as JSON; and how long the journal keeps what it has."""
    assert [recipe.split()[3] for recipe in RECIPES] == ["-f", "-n", "-b", "--output=json"]
    for recipe in RECIPES:
        words = [word for word in recipe.split() if word != "-f"]  # it would follow for ever
        done = subprocess.run(
            [*words, "--no-pager", f"--directory={tmp_path}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        # An empty journal has no boot to look at; an option that it does not know is said otherwise.
        assert not re.search("unrecognized|invalid|unknown|parse", done.stderr, re.IGNORECASE), done.stderr
    helped = subprocess.run(
        ["journalctl", "--help"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert re.search(r"^\s+-f --follow", helped, re.MULTILINE)
    settings = re.search(r"```ini\n\[Journal\]\nSystemMaxUse=(\w+)\nMaxRetentionSec=(\w+)\n```", PAGE)
    assert settings is not None
    assert settings.groups() == ("500M", "7d")
    subprocess.run(["systemd-analyze", "timespan", settings[2]], capture_output=True, timeout=60, check=True)
