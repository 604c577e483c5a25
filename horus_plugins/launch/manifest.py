"""What a launcher says of its session: one JSON file, true at every moment, replaced as a whole.

`/dev/shm/horus_{ns}/launch/{session}.json`. The file proves nothing: who reads it asks the kernel whether the
launcher lives (its lock in the namespace's index), and each process likewise by its scheduler.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from horus_core.shm import namespace as namespaces
from horus_core.shm import process

if TYPE_CHECKING:
    from pathlib import Path

    from horus_core._native import Member

CONTROL_PREFIX = "horus.launch.ctl."
_MOST_BYTES = 1 << 24

NodeStatus = Literal[
    "waiting",  # for what it depends on, its delay, or a turn
    "starting",  # its process lives and is not ready yet
    "running",
    "backing-off",  # it ended, and is started again at next_try_ns
    "stopping",
    "stopped",  # it ended well, or because it was asked to
    "crashed",  # it ended otherwise, and is not started again
    "failed",  # it never ran: it could not be started, or what it waits for never came
]
SessionStatus = Literal["starting", "running", "stopping"]


class Exit(msgspec.Struct):
    """How a process ended."""

    at_ns: int
    """Of the calendar."""
    pid: int
    code: int | None = None
    """None: a signal ended it."""
    signal: str = ""
    """By its name, such as `SIGSEGV`."""
    out_of_memory: bool | None = None
    """Whether the kernel killed it for want of memory; None where the kernel does not tell."""
    asked: bool = False
    """Whether the launcher had asked it to end."""
    text: str = ""
    """All this in words."""


class LaunchedScheduler(msgspec.Struct):
    """A scheduler that was found in one of a node's processes."""

    name: str
    pid: int
    control_topic: str
    nodes: list[str] = []


class LaunchedNode(msgspec.Struct):
    """A process of the session, by the name that the launch file gives it."""

    name: str
    status: NodeStatus = "waiting"
    pid: int = 0
    """Of the process that was started, whose descendants may hold the schedulers; 0: none lives."""
    command: list[str] = []
    schedulers: list[LaunchedScheduler] = []
    restarts: int = 0
    policy: str = "never"
    started_ns: int = 0
    """Its process's start, of the calendar; 0: never."""
    last_exit: Exit | None = None
    next_try_ns: int = 0
    """When it is started again, of the calendar; 0: not now."""
    waiting_for: str = ""
    """What its start waits for, in words."""
    log: str = ""
    """The file that its output is kept in."""


class Manifest(msgspec.Struct):
    """A session: its launcher and its nodes."""

    session: str
    namespace: str
    file: str
    """The launch file."""
    pid: int
    """The launcher's."""
    ident: int
    """The launcher's identity in the namespace, which the kernel's lock proves."""
    started_ns: int
    """Of the calendar."""
    started_monotonic_ns: int
    control_topic: str
    run_id: str = ""
    """The value of HORUS_RUN_ID in each of its processes."""
    status: SessionStatus = "starting"
    log: str = ""
    """The file of what the launcher itself says."""
    options: dict[str, Any] = {}
    """What the launch file was read with, besides itself."""
    nodes: list[LaunchedNode] = []


class Session(Manifest):
    """A manifest that was read, with what the kernel says of it."""

    alive: bool = False
    """Whether its launcher lives. Otherwise all that the manifest says of processes is of the past."""

    def node_of(self, pid: int) -> LaunchedNode | None:
        """The node that a process belongs to: the one that was started, or one in which a scheduler was found."""
        for node in self.nodes:
            if pid and (pid == node.pid or any(one.pid == pid for one in node.schedulers)):
                return node
        return None


def control_topic(session: str) -> str:
    """The topic on which a session takes commands."""
    return f"{CONTROL_PREFIX}{session}"


def folder(namespace: str) -> Path:
    """Where a namespace's sessions are recorded, or would be."""
    return namespaces.path(namespace) / "launch"


def path(namespace: str, session: str) -> Path:
    """The manifest's file."""
    return folder(namespace) / f"{session}.json"


def events_path(namespace: str, session: str) -> Path:
    """The file of what happened: a JSON object a line."""
    return folder(namespace) / f"{session}.events.jsonl"


def encode(manifest: Manifest) -> bytes:
    """What stands in the file."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)


def write(manifest: Manifest, data: bytes | None = None) -> None:
    """Replace the file. Raises OSError when shared memory takes no more; the old one stands then.

    `data` is the manifest as encode() has it, where that is known already. The name of the draft is the session's,
    which only one living launcher holds: none is left behind twice.
    """
    final = path(manifest.namespace, manifest.session)
    draft = final.with_name(f".{final.name}")
    namespaces.directory(manifest.namespace)
    final.parent.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(encode(manifest) if data is None else data)
    draft.replace(final)


def remove(manifest: Manifest) -> None:
    """The session is over."""
    path(manifest.namespace, manifest.session).unlink(missing_ok=True)


def names(namespace: str) -> set[str]:
    """The names of the sessions that have a manifest there, living and dead; nobody is asked, and no lock taken."""
    return {file.stem for file in _files(namespace)}


def sessions(namespace: str) -> list[Session]:
    """The sessions of a namespace whose manifests can be read, by name, living and dead. Nothing is created."""
    return look(namespace)[0]


def look(namespace: str) -> tuple[list[Session], dict[str, str]]:
    """The sessions, and of those whose manifest makes no sense why, by name."""
    read = {file.stem: _read(file) for file in _files(namespace)}
    found = [session for session in read.values() if isinstance(session, Session)]
    if found:
        _check(namespace, found)
    return found, {name: why for name, why in read.items() if isinstance(why, str)}


def read(namespace: str, session: str) -> Session | None:
    """The manifest of that session, `alive` not looked at; None where there is none that makes sense."""
    found = _read(path(namespace, session))
    return found if isinstance(found, Session) else None


def is_alive(manifest: Manifest, member: Member) -> bool:
    """Whether the launcher that wrote it lives."""
    return member.alive(manifest.ident) and member.pid(manifest.ident) == manifest.pid


def _files(namespace: str) -> list[Path]:
    return sorted(file for file in folder(namespace).glob("*.json") if not file.name.startswith("."))


def _read(file: Path) -> Session | str | None:
    """The session, why it cannot be read, or None when it ended at this moment."""
    try:
        return _decode(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        return str(error)


def _decode(file: Path) -> Session:
    """Believe nothing: neither size nor contents, and not that it is about this name."""
    fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as opened:
        data = opened.read(_MOST_BYTES)
    found = msgspec.json.decode(data, type=Session)
    if found.session != file.stem or not 0 <= found.ident < 1 << 64:
        raise ValueError(f"expected the manifest of session {file.stem!r}, got one of {found.session!r}")
    found.alive = False
    return found


def _check(namespace: str, found: list[Session]) -> None:
    with suppress(FileNotFoundError):
        member = process.look(namespace)
        for session in found:
            session.alive = member is not None and is_alive(session, member)
