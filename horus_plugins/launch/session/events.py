"""What happens in a session, as a JSON object a line: `launch/{session}.events.jsonl` of its namespace."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from horus_plugins.launch import manifest
from horus_plugins.launch.session.files import LineFile

SESSION_START = "SessionStart"
SESSION_READY = "SessionReady"
SESSION_RELOAD = "SessionReload"
SESSION_STOPPING = "SessionStopping"
SESSION_STOP = "SessionStop"
NODE_SPAWNED = "NodeSpawned"
NODE_READY = "NodeReady"
NODE_STOPPING = "NodeStopping"
NODE_EXITED = "NodeExited"
NODE_CRASHED = "NodeCrashed"
NODE_RESTARTED = "NodeRestarted"
NODE_FAILED = "NodeFailed"
EMERGENCY_STOP = "EmergencyStop"

_MOST_BYTES = 4 << 20


class Events:
    """The log of one session's run. That of an earlier run under this name goes."""

    def __init__(self, namespace: str, session: str) -> None:
        self._session = session
        path = manifest.events_path(namespace, session)
        path.unlink(missing_ok=True)
        self.file = LineFile(path, most_bytes=_MOST_BYTES)
        self._told_lost = 0

    def note(self, event: str, **details: Any) -> None:
        """Write an event with its time, in nanoseconds of the calendar. It stands in the file when this returns.

        Those that could not be written, for want of room, are counted in `lost_before` of the next that can.
        """
        line = {"timestamp_ns": time.time_ns(), "event": event, "session": self._session, **details}
        lost = self.file.lost
        if lost > self._told_lost:
            line["lost_before"] = lost - self._told_lost
        self.file.put(msgspec.json.encode(line) + b"\n")
        self.file.flush()
        if self.file.lost == lost:
            self._told_lost = lost
