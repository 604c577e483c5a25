"""What a launch file comes to: processes in the order in which they start. Nothing in it is left to be looked up."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Condition = Literal["started", "ready", "completed"]
Policy = Literal["never", "on-failure", "always"]


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a process that has ended is started again."""

    policy: Policy = "never"
    """`on-failure`: after a non-zero exit code or a signal; `always`: after any end that nobody asked for."""
    max: int = 10
    """Restarts within `window_s`; one more end, and it is left as it is."""
    window_s: float | None = None
    """None: counted since its last stable run."""
    backoff_s: float = 0.1
    """Before the first restart; doubled before each further one."""
    max_backoff_s: float = 10.0
    stable_s: float = 10.0
    """Having run for so long, it starts again with `backoff_s`, and without a window with a count of 0."""


class StopTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long each phase of a stop lasts, at most: it ends when all have ended."""

    graceful_s: float = 2.0
    """From GracefulShutdown on the control topics to SIGTERM."""
    terminate_s: float = 3.0
    """From SIGTERM to SIGKILL."""


class Dependency(msgspec.Struct, frozen=True):
    """What a node waits for before it starts."""

    node: str
    condition: Condition = "ready"
    """`ready`: its scheduler runs, or without one it has lived for a second; `completed`: it exited with code 0."""


class PlannedNode(msgspec.Struct, frozen=True, kw_only=True):
    """A process of a session."""

    name: str
    kind: str
    """`package`, or what runs the command: `python`, `executable`, a runner's name."""
    command: tuple[str, ...]
    """What is executed, the program by its absolute path."""
    environment: dict[str, str]
    """What is added to the launcher's own."""
    cwd: str
    """Absolute."""
    depends_on: tuple[Dependency, ...] = ()
    priority: int = 0
    start_delay_s: float = 0.0
    """After all that it depends on."""
    ready_timeout_s: float = 60.0
    """From its start until it is ready; those that depend on it are not started after that."""
    restart: RestartPolicy = RestartPolicy()
    on_exit: Literal["continue", "shutdown"] = "continue"
    """`shutdown`: its end, once it is not restarted, is the session's."""
    prefix: str = ""
    """Of its relative topics, without slashes at the ends."""
    rate_hz: float | None = None
    params: dict[str, Any] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A session that can be started as it stands."""

    session: str
    namespace: str
    file: str
    """Absolute."""
    nodes: tuple[PlannedNode, ...]
    """In the order of their start."""
    stop: StopTimes = StopTimes()
    places: dict[str, str] = {}
    """Where each node stands: file:line, by its name."""
    warnings: tuple[str, ...] = ()

    def node(self, name: str) -> PlannedNode:
        """The node of that name; raises KeyError."""
        return {one.name: one for one in self.nodes}[name]
