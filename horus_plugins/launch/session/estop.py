"""The emergency stop as a launcher hears it: in its loop, without a thread."""

from __future__ import annotations

from horus_core.backends import registry
from horus_core.control import estop
from horus_core.errors import LaunchError
from horus_plugins.launch.session.lines import NODE


class Watch:
    """A subscriber to the orders of a namespace."""

    def __init__(self) -> None:
        self._topic = estop.open_topic(NODE, registry.SHM)
        self._topic.has_msg()  # a subscriber from now on

    def require_none(self, session: str) -> None:
        """Raise LaunchError when an emergency stop stands: what starts now would start to move at its release."""
        order = self._topic.latest()
        if order is not None and order.engaged:
            raise LaunchError(
                f"Starting session {session!r} failed: expected no emergency stop, got one that stands, by "
                f"{order.source or 'somebody'}: {order.reason or 'no reason given'}. When it is safe: "
                f"`horus estop --release`, then start again."
            )

    def heard(self) -> estop.EmergencyStop | None:
        """The first order to stop that came since the last call; a release is none."""
        if not self._topic.has_msg():
            return None
        orders = [order for order in self._topic.recv_all() if order.engaged]
        return orders[0] if orders else None

    def close(self) -> None:
        """Hear no more."""
        self._topic.close()
