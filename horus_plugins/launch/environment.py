"""What a target finds in its environment."""

from __future__ import annotations

import os

from horus_core.shm import namespace


def environment(where: str) -> dict[str, str]:
    """Our environment, with what a target needs: its namespace, and output that shows when it is printed."""
    return {"PYTHONUNBUFFERED": "1", **os.environ, namespace.VARIABLE: where}
