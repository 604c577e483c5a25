"""Which launch session a process belongs to, and how those that ended did, by the launchers' manifests."""

from __future__ import annotations

from horus_core.text import plain_name
from horus_plugins.launch import manifest
from horus_plugins.monitor import processes


class Sessions:
    """The launch sessions of a namespace, as their manifests stand now."""

    def __init__(self, namespace: str) -> None:
        """Read them; nothing is created."""
        self._sessions, self.unreadable = manifest.look(namespace)

    def of(self, pid: int) -> str:
        """The session that the process was started in, or one of its parents was; "" for none."""
        if not self._sessions or pid <= 0:
            return ""
        for one in processes.ancestors(pid) or [pid]:
            for session in self._sessions:
                if session.node_of(one) is not None or _exit_of(session, one):
                    return plain_name(session.session)
        return ""

    def how_it_ended(self, pid: int) -> str:
        """What the launcher saw of a process's end, in words; "" when it saw nothing."""
        for session in self._sessions:
            if text := _exit_of(session, pid):
                return plain_name(text)
        return ""


def _exit_of(session: manifest.Session, pid: int) -> str:
    for node in session.nodes:
        if pid and node.last_exit is not None and node.last_exit.pid == pid:
            return node.last_exit.text or "it ended"
    return ""
