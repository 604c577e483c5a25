"""`horus service` from outside: files that are written, told and removed, and nobody else's."""

# spec: A17, D7, D11, F22

from __future__ import annotations

import json


def test_install_status_uninstall(horus, script, tmp_path):
    """What is installed is listed, is not replaced by accident, and goes again; what others made stays."""
    script("sensor.py", "import horus\n")
    folder = tmp_path / "units"
    into = ["--folder", str(folder)]
    installed = horus("service", "install", "sensor.py", "--user", "daemon", "--json", *into)
    assert installed.wait() == 0, installed.stderr
    unit = folder / "horus-sensor.service"
    assert json.loads(installed.stdout)["files"] == {str(unit): unit.read_text()}

    again = horus("service", "install", "sensor.py", "--user", "daemon", *into)
    assert again.wait() == 1
    assert "--force" in again.stderr
    forced = horus(
        "service", "install", "sensor.py", "--user", "daemon", "--force", "--namespace", "lab", *into
    )
    assert forced.wait() == 0
    assert "HORUS_NAMESPACE=lab" in unit.read_text()

    (folder / "horus-other.service").write_text("[Service]\nExecStart=/bin/true\n")
    status = horus("service", "status", "--json", *into)
    assert status.wait() == 0
    (one,) = json.loads(status.stdout)["services"]
    assert (one["unit"], one["namespace"]) == ("horus-sensor.service", "lab")
    assert one["target"] == str(tmp_path / "sensor.py")
    stranger = horus(
        "service", "install", "sensor.py", "--name", "other", "--user", "daemon", "--force", *into
    )
    assert stranger.wait() == 1
    assert "did not make" in stranger.stderr

    unknown = horus("service", "uninstall", "camera", *into)
    assert unknown.wait() == 1
    assert "got sensor" in unknown.stderr
    removed = horus("service", "uninstall", "sensor", "--json", *into)
    assert removed.wait() == 0
    assert [path.name for path in folder.iterdir()] == ["horus-other.service"]


def test_a_dry_run_writes_nothing(horus, script, tmp_path):
    """--dry-run shows the files; bad input is refused with what was expected."""
    script("a.py", "")
    script("b.py", "")
    shown = horus(
        "service",
        "install",
        "a.py",
        "b.py",
        "--name",
        "pair",
        "--dry-run",
        "--user",
        "daemon",
        "--folder",
        "u",
    )
    assert shown.wait() == 0
    assert shown.stdout.count("[Service]") == 2
    assert "horus-pair.target" in shown.stdout
    assert not (tmp_path / "u").exists()
    bad = horus("service", "install", "a.py", "--user", "daemon", "--env", "NO", "--dry-run")
    assert bad.wait() == 2
    assert "NAME=VALUE" in bad.stderr
