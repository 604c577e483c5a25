"""A soak of seconds, of real processes: it is good, it sees what is wrong, and it leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from endurance import workload
from endurance.supervisor import Soak

SOAK = Path(__file__).parent


def _processes_of(namespace):
    """The pids of processes whose environment has that namespace."""
    wanted = f"HORUS_NAMESPACE={namespace}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def _nothing_is_left(namespace):
    return not _processes_of(namespace) and not list(Path("/dev/shm").glob(f"horus_{namespace}*"))


def test_a_miniature_is_good(tmp_path):
    """5 processes and 8 topics for seven seconds: lapped, forked, killed and started again, and every message is
    accounted for; the report has all of it.
    """
    soak = Soak(workload.small(), 7, tmp_path)
    found = soak.run()
    assert found.good, found.text()
    assert found.ledger.missed > 0  # the slow one was lapped
    assert found.ledger.closed > 20
    assert found.ledger.exact > found.ledger.looks // 4
    assert json.loads((tmp_path / "report.json").read_text())["good"] is True
    assert "VERDICT: good" in (tmp_path / "report.txt").read_text()
    assert (tmp_path / "report.png").stat().st_size > 10_000
    assert _nothing_is_left(soak.namespace)


def test_what_is_wrong_is_found(tmp_path):
    """A publisher that lies about its count, memory, descriptors and files that leak, a subscriber that loses what it
    received, and one that crashes: each is named.
    """
    faults = {
        "base": ("lies", "shm"),
        "recorder": ("memory", "descriptors"),
        "slow": ("silence",),
        "wheel": ("crash",),
    }
    soak = Soak(workload.small(faults), 8, tmp_path)
    found = soak.run()
    said = "\n".join(found.wrong)
    for wanted in (
        "recorder anonymous: GROWS",
        "recorder descriptors: GROWS",
        "shm_files: GROWS",
        "recorder.1:small.0: last account of",
        "its own count",
        "ended with 1",
    ):
        assert wanted in said
    assert "slow.1:plain.0: delivered" in said
    for innocent in ("base anonymous", "slow anonymous", "nursery descriptors", "slow descriptors"):
        assert innocent not in said
    assert _nothing_is_left(soak.namespace)


def test_ctrl_c_reports_what_was_reached(tmp_path):
    """Interrupted, it lets everybody finish, judges what there is, and leaves nothing."""
    run = subprocess.Popen(
        [sys.executable, str(SOAK), "--small", "--minutes", "10", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    samples = tmp_path / "samples.jsonl"
    while not samples.exists() or not samples.read_text():
        assert run.poll() is None
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "interrupted: True" in out
    assert "accepted sends:" in out
    assert _nothing_is_left(f"soak{run.pid}")
