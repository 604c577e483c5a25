"""Launch files from Python: `horus.launch.load("robot.yaml").plan()`."""

from __future__ import annotations

from horus_plugins.launch.api import (
    Dependency,
    LaunchFile,
    LaunchNode,
    Plan,
    PlannedNode,
    RestartPolicy,
    StopTimes,
    load,
)

__all__ = [
    "Dependency",
    "LaunchFile",
    "LaunchNode",
    "Plan",
    "PlannedNode",
    "RestartPolicy",
    "StopTimes",
    "load",
]
