"""A venv for each peer: horus-robotics brings a top-level package ``horus``, too."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venvs"


class PeerMissingError(RuntimeError):
    """A peer could not be installed; without it the comparison would be a claim."""


def requirements() -> dict[str, list[str]]:
    """What each peer's venv holds.

    ``plain`` has the libraries that HORUS uses itself, in the same versions, so that what HORUS adds is seen.
    """
    numpy = f"numpy=={version('numpy')}"
    return {
        "plain": [numpy, f"msgspec=={version('msgspec')}"],
        "horus-robotics": ["horus-robotics==0.4.1", numpy],
        "iceoryx2": ["iceoryx2==0.10.0", numpy],
        "pyzmq": ["pyzmq==27.3.0"],
    }


def python_of(peer: str) -> str:
    """The interpreter to run a peer with: our own for HORUS, else that of its venv."""
    return sys.executable if peer == "horus" else str(FOLDER / peer / "bin" / "python")


def ensure() -> None:
    """Makes the venvs that are missing or hold something else."""
    for peer, wanted in requirements().items():
        marker = FOLDER / peer / ".installed"
        if marker.is_file() and marker.read_text(encoding="utf-8") == "\n".join(wanted):
            continue
        print(f"making the venv of {peer}: {' '.join(wanted)}", file=sys.stderr)
        _run(peer, [sys.executable, "-m", "venv", "--clear", str(FOLDER / peer)])
        pip = [python_of(peer), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run(peer, [*pip, *wanted])
        marker.write_text("\n".join(wanted), encoding="utf-8")


def _run(peer: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise PeerMissingError(f"{peer}: {' '.join(command)} failed with {done.returncode}: {' '.join(last)}")
