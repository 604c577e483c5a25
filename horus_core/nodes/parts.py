"""The inner parts of a node, behind one attribute, so that subclasses have all other names to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_core.control.logs import NodeLog
    from horus_core.nodes.callbacks import Callbacks
    from horus_core.nodes.config import NodeConfig
    from horus_core.nodes.info import NodeInfo
    from horus_core.nodes.policy import FailurePolicy
    from horus_core.nodes.wiring import Wiring
    from horus_core.scheduler.scheduler import Scheduler


class Parts:
    """What a node is made of, for Node itself and the scheduler."""

    def __init__(
        self,
        *,
        name: str,
        config: NodeConfig,
        rate: float,
        rate_given: bool,
        order: int,
        policy: FailurePolicy,
        callbacks: Callbacks,
        wiring: Wiring,
        info: NodeInfo,
        journal: NodeLog,
    ) -> None:
        self.name = name
        self.config = config
        self.rate = rate
        self.rate_given = rate_given
        self.order = order
        self.policy = policy
        self.callbacks = callbacks
        self.wiring = wiring
        self.info = info
        self.journal = journal
        self.scheduler: Scheduler | None = None
        """Who runs the node now."""
        self.left_behind = False
        """Whether a tick of its last run, which did not end in time, still goes on."""
