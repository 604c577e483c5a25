"""The files of a session: its manifest, its events, what it said, and the output of its nodes."""

from __future__ import annotations

import os
import resource
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from horus_core.shm import process, region
from horus_plugins.launch import manifest
from horus_plugins.launch.manifest import Manifest
from horus_plugins.launch.session import ends, events
from horus_plugins.launch.session.claim import claim
from horus_plugins.launch.session.events import Events
from horus_plugins.launch.session.files import LineFile
from horus_plugins.launch.session.reserve import Reserve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_core._native import Member
    from horus_plugins.launch.file.plan import Plan
    from horus_plugins.launch.manifest import Exit, LaunchedNode, SessionStatus
    from horus_plugins.launch.session.settings import Settings


class Books:
    """What of a session stands in files, kept true."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self.run_id = os.urandom(8).hex()
        self._namespace = plan.namespace
        self._session = plan.session
        self._settings = settings
        self._unwritten: set[LineFile] = set()
        self._published = b""
        self._reserve = Reserve()
        self._is_ours = False
        home = Path(settings.log_dir) if settings.log_dir else manifest.folder(plan.namespace)
        self._outputs = home / plan.session
        self.said = LineFile(
            home / f"{plan.session}.log", most_bytes=settings.log_bytes, unwritten=self._unwritten
        )

    def open(self, plan: Plan) -> str:
        """Take the session's name; the run id of a dead launcher that had it, or "".

        Raises LaunchError, and RegionError where shared memory has no room for the manifest.
        """
        try:
            return self._open(plan)
        except OSError as error:
            file = manifest.path(self._namespace, self._session)
            raise region.no_room(file, resource.getpagesize(), error) from None

    def _open(self, plan: Plan) -> str:
        member = process.member(self._namespace)
        self.manifest = Manifest(
            plan.session,
            plan.namespace,
            plan.file,
            os.getpid(),
            member.ident,
            time.time_ns(),
            time.monotonic_ns(),
            manifest.control_topic(plan.session),
            run_id=self.run_id,
            log=str(self.said.path),
            options=self._settings.options,
        )
        before = claim(self.manifest, member)
        self._is_ours = True
        self.events = Events(plan.namespace, plan.session)
        return before

    def note_end(self, row: LaunchedNode, end: Exit, lived_s: float) -> None:
        """Write the event of a process that has ended."""
        self.events.note(
            events.NODE_CRASHED if ends.failed(end) and not end.asked else events.NODE_EXITED,
            node=row.name,
            pid=end.pid,
            exit_code=end.code,
            signal=end.signal or None,
            out_of_memory=end.out_of_memory,
            asked=end.asked,
            lived_s=round(lived_s, 3),
            restarts=row.restarts,
            reason=end.text,
        )

    def output_of(self, node: str) -> LineFile:
        """The file of a node's output."""
        return LineFile(
            self._outputs / f"{node}.log",
            most_bytes=self._settings.log_bytes,
            older=self._settings.log_files - 1,
            unwritten=self._unwritten,
        )

    def keep(self) -> Member:
        """See that shared memory is still ours, and join it anew if somebody removed it under us."""
        process.notice_loss()
        member = process.member(self._namespace)
        self.manifest.ident = member.ident
        if not manifest.path(self._namespace, self._session).exists():
            self._published = b""
        return member

    def publish(self, status: SessionStatus, rows: Iterable[LaunchedNode]) -> None:
        """Write the manifest if anything in it has changed."""
        self.manifest.status = status
        self.manifest.nodes = list(rows)
        data = manifest.encode(self.manifest)
        if data == self._published:
            return
        if not self._write(data):
            self._reserve.give()  # shared memory is full
            if not self._write(data):
                return  # it is tried again at the next turn
        self._published = data
        self._reserve.keep(manifest.folder(self._namespace), len(data))

    def _write(self, data: bytes) -> bool:
        with suppress(OSError):
            manifest.write(self.manifest, data)
            return True
        return False

    def flush(self) -> None:
        """Write the lines that came."""
        for file in list(self._unwritten):
            file.flush()

    def abandon(self) -> None:
        """The session cannot start: give the name back, if it is ours already."""
        if self._is_ours:
            manifest.remove(self.manifest)

    def close(self) -> None:
        """The session is over: its manifest goes, everything else stays."""
        self.flush()
        manifest.remove(self.manifest)
        self._reserve.close()
