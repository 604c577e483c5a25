"""BestEffort: nodes that tick on the scheduler's own thread, those that are due together in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.abc import ExecutionClass

if TYPE_CHECKING:
    from horus_core.nodes.config import NodeConfig
    from horus_core.scheduler.entry import Entry


class BestEffort(ExecutionClass):
    """Takes every node that asks for nothing else."""

    name = "best_effort"
    precedence = 0
    on_main_loop = True

    @classmethod
    def accepts(cls, config: NodeConfig) -> bool:
        """Whether the node is an ordinary one."""
        return not config.is_async

    def add(self, entry: Entry) -> None:
        """Tick it in the scheduler's own loop."""
        self.host.main_loop.lane.add(entry)

    def remove(self, entry: Entry) -> None:
        """The caller is on the thread that would tick it, so that no tick is under way."""
        self.host.main_loop.lane.remove(entry)

    def changed(self, _entry: Entry) -> None:
        """The loop may be asleep for longer, or shorter, than is right now."""
        self.host.main_loop.lane.nudge()
