"""The states of a node."""

from __future__ import annotations

from enum import Enum


class NodeState(Enum):
    """Where a node is in its life."""

    UNINITIALIZED = "uninitialized"
    INITIALIZING = "initializing"
    RUNNING = "running"
    PAUSED = "paused"
    ERROR = "error"
    HUNG = "hung"
    CRASHED = "crashed"
    STOPPING = "stopping"
    STOPPED = "stopped"
