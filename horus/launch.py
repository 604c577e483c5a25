"""Launch files from Python: `horus.launch.start(horus.launch.load("robot.yaml").plan())`."""

from __future__ import annotations

from horus_plugins.launch.api import (
    Dependency,
    LaunchFile,
    LaunchNode,
    Plan,
    PlannedNode,
    RestartPolicy,
    Running,
    StopTimes,
    load,
    start,
)

__all__ = [
    "Dependency",
    "LaunchFile",
    "LaunchNode",
    "Plan",
    "PlannedNode",
    "RestartPolicy",
    "Running",
    "StopTimes",
    "load",
    "start",
]
