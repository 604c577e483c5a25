"""How one node starts and ends: presence, topics, init and shutdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.control.presence import Presence
from horus_core.nodes.state import NodeState
from horus_core.plugins import lifecycle as observers
from horus_core.scheduler.signals import CutShort

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler


def start(entry: Entry) -> None:
    """Claim the name, open the declared topics and call init(); on failure nothing of it is left."""
    entry.presence = Presence(entry.node, entry.rate)
    try:
        entry.wiring.open_declared()
        _initialise_first(entry)
    except BaseException:
        entry.enter(NodeState.CRASHED)
        _let_go(entry)
        raise
    entry.live = True
    where = entry.presence.namespace
    entry.journal.debug(f"started in namespace {where!r} ({entry.rate:g} Hz, order {entry.node.order})")


def _initialise_first(entry: Entry) -> None:
    try:
        initialise(entry)
    except Exception as error:
        stop_robot(entry, error)
        raise


def stop_robot(entry: Entry, error: Exception) -> None:
    """A critical node has crashed: nobody drives on without it."""
    scheduler = entry.node._horus.scheduler  # noqa: SLF001
    if entry.config.critical and scheduler is not None:
        scheduler.emergency_stop(f"critical node crashed: {type(error).__name__}", entry.node.name)


def initialise(entry: Entry) -> None:
    """Call init()."""
    entry.enter(NodeState.INITIALIZING)
    entry.move()
    if entry.callbacks.init is not None:
        entry.run(entry.callbacks.init)
    entry.initialised()
    tell("horus_node_started", entry)


def stop(entry: Entry) -> None:
    """Call shutdown() and let go of the node's name and topics. What user code raises is only logged.

    Of a node whose tick was left behind, name and topics stay until end().
    """
    entry.live = False
    state = entry.info.state()
    if state is not NodeState.CRASHED:
        entry.enter(NodeState.STOPPING)
    if state is not NodeState.STOPPED:  # a node that waits for its restart has shut down already
        quietly(entry, "shutdown", entry.callbacks.shutdown)
    if entry.left_behind:  # its tick goes on: it has not stopped
        entry.enter(NodeState.HUNG)
    else:
        end(entry, entry.node._horus.scheduler)  # noqa: SLF001


def end(entry: Entry, scheduler: Scheduler | None) -> None:
    """Nothing of the node runs any more: let go of its name and topics."""
    if entry.info.state() is not NodeState.CRASHED:
        entry.enter(NodeState.STOPPED)
    _let_go(entry)
    entry.journal.debug("stopped")
    if observers.listeners["horus_node_stopped"]:
        observers.tell("horus_node_stopped", scheduler=scheduler, node=entry.node)


def tell(hook: str, entry: Entry, **more: object) -> None:
    """Tell observers what becomes of a node."""
    if observers.listeners[hook]:
        observers.tell(hook, scheduler=entry.node._horus.scheduler, node=entry.node, **more)  # noqa: SLF001


def crash(entry: Entry, error: BaseException) -> None:
    """Mark the node CRASHED and leave a record of it."""
    entry.enter(NodeState.CRASHED)
    presence, entry.presence = entry.presence, None
    if presence is not None:
        try:
            presence.crashed(error)
        except Exception as failure:  # noqa: BLE001 - the user's exception matters more
            entry.journal.error("left no record of its crash", exc=failure)


def quietly(entry: Entry, what: str, callback: Callable[[], object] | None) -> bool:
    """Call a callback whose failure must not keep other nodes from their own; whether it returned."""
    if callback is None:
        return True
    try:
        entry.run(callback)
    except CutShort:
        entry.journal.warning(f"{what}() was cut short by a second signal")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - user code may raise anything
        entry.journal.error(f"{what}() failed", exc=error)
    else:
        return True
    return False


def _let_go(entry: Entry) -> None:
    presence, entry.presence = entry.presence, None
    try:
        entry.wiring.close()
        if presence is not None:
            presence.remove()
    except Exception as error:  # noqa: BLE001 - the other nodes must still be shut down
        entry.journal.error("was not cleaned up", exc=error)
