"""Launch files from Python: `horus.launch.start(horus.launch.load("robot.yaml").plan())`."""

from __future__ import annotations

from horus_plugins.launch.file.launch_file import LaunchFile, load
from horus_plugins.launch.file.nodes import LaunchNode
from horus_plugins.launch.file.plan import Dependency, Plan, PlannedNode, RestartPolicy, StopTimes
from horus_plugins.launch.session.background import Running, start

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
