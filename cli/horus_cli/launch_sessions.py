"""`horus launch --status`, `--stop`, `--attach`, `--restart` and `--reload`: sessions that run."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import click

from horus_cli.output import echo_all, print_json, safe, table, wants_colours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.launch.sessions import NodeStatus, SessionList, SessionStatus

_STOP_S = 30.0
_HEADING = "ACTIVE LAUNCH SESSIONS"
_COLUMNS = ("NAME", "PID", "STATUS", "SCHEDULER", "RESTARTS")
_STEPS = ((86_400, "d"), (3600, "h"), (60, "m"))


class Where(NamedTuple):
    """Which sessions are meant."""

    namespace: str | None
    session: str | None
    timeout_s: float | None
    watch_s: float | None


def status(_: str, where: Where, *, as_json: bool) -> int:
    """Show them all; with `--watch` again and again."""
    from horus_plugins.launch import sessions  # noqa: PLC0415 - not needed for --help

    if where.watch_s is not None:
        from horus_cli import watching  # noqa: PLC0415

        about = "sessions of all namespaces" if where.namespace is None else f"namespace {where.namespace}"
        watching.watch(
            lambda: sessions.look(where.namespace), _lines, where.watch_s, as_json=as_json, about=safe(about)
        )
        return 0
    found = sessions.look(where.namespace)
    if as_json:
        print_json(found)
        return 0
    echo_all(_lines(found))
    for name, why in found.unreadable.items():
        click.echo(f"horus: the manifest of {safe(name)} cannot be read: {safe(why)}", err=True)
    return 0


def stop(name: str, where: Where, *, as_json: bool) -> int:
    """Stop a session and wait for its end."""
    from horus_plugins.launch import asking, sessions  # noqa: PLC0415 - not needed for --help

    _refuse_json(as_json)
    session = sessions.find(name, where.namespace)
    since = time.monotonic()
    asking.stop(session, timeout_s=_STOP_S if where.timeout_s is None else where.timeout_s)
    click.echo(f"Session {safe(name)} was stopped in {time.monotonic() - since:.1f} s.", err=True)
    return 0


def attach(name: str, where: Where, *, as_json: bool) -> int:
    """Show a session's output until it is over."""
    from horus_plugins.launch import attach, sessions  # noqa: PLC0415 - not needed for --help

    _refuse_json(as_json)
    session = sessions.find(name, where.namespace)
    out = sys.stdout.buffer

    def write(lines: bytes) -> None:
        out.write(lines)
        out.flush()

    attach.attach(session, write, colour=wants_colours(sys.stdout))
    click.echo(f"Session {safe(name)} is over.", err=True)
    return 0


def restart(node: str, where: Where, *, as_json: bool) -> int:
    """Restart the process of a node."""
    from horus_plugins.launch import asking, sessions  # noqa: PLC0415 - not needed for --help

    _refuse_json(as_json)
    if where.session is not None:
        session = sessions.find(where.session, where.namespace)
    else:
        session = sessions.with_node(node, where.namespace)
    awaited = asking.restart(session, node)
    said = f"Session {safe(session.session)} restarts {safe(node)}."
    if awaited is not None:
        said = (
            f"{safe(node)} was not started yet: session {safe(session.session)} starts it when all is there "
        )
        said += f"that it depends on; it waits for {safe(awaited)}." if awaited else "that it depends on."
    click.echo(said, err=True)
    return 0


def reload(name: str, where: Where, *, as_json: bool) -> int:
    """Read a session's launch file again and have it go over to that."""
    from horus_plugins.launch import asking, sessions  # noqa: PLC0415 - not needed for --help
    from horus_plugins.launch.file.launch_file import Choice, plan  # noqa: PLC0415

    session = sessions.find(name, where.namespace)
    chosen = {name: value for name, value in session.options.items() if name in Choice._fields}
    choice = Choice(**chosen)._replace(namespace=session.namespace, session=session.session)
    changed = asking.reload(session, plan(session.file, choice, look_into=True))
    if as_json:
        print_json(changed)
        return 0
    said = [
        f"{how} {', '.join(map(safe, names))}"
        for how, names in (
            ("starts", changed.started),
            ("stops", changed.stopped),
            ("restarts", changed.restarted),
        )
        if names
    ]
    click.echo(f"Session {safe(name)} {'; '.join(said) or 'goes on: nothing has changed'}.", err=True)
    return 0


def _refuse_json(as_json: bool) -> None:
    if as_json:
        raise click.UsageError("--json goes with --status and --reload, of those that ask a session.")


def _lines(found: SessionList) -> Iterator[str]:
    if not found.sessions:
        yield "No launch session runs."
        return
    yield _HEADING
    for session in found.sessions:
        yield ""
        yield from _session(session)


def _session(session: SessionStatus) -> Iterator[str]:
    count = "1 process" if session.processes == 1 else f"{session.processes} processes"
    state = "" if session.status == "running" else f", {session.status}"
    yield f"● {safe(session.session)} ({count}, uptime: {_duration(session.uptime_s)}{state})"
    yield f"  File: {safe(session.file)}"
    if session.namespace != os.environ.get("HORUS_NAMESPACE"):
        yield f"  Namespace: {safe(session.namespace)}"
    rows = [
        [
            node.name,
            str(node.pid or "-"),
            node.status.capitalize(),
            ", ".join(node.schedulers) or "-",
            str(node.restarts),
        ]
        for node in session.nodes
    ]
    for line in table(_COLUMNS, rows, right=("PID", "RESTARTS")):
        yield f"  {line}"
    for node in session.nodes:
        note = _note(node)
        if note:
            yield f"  {safe(node.name)}: {safe(note)}"


def _note(node: NodeStatus) -> str:
    """Why a node is not as it should be."""
    said = []
    if node.last_exit is not None and (node.pid == 0 or node.restarts):
        said.append(f"last {node.last_exit.text} (pid {node.last_exit.pid})")
    if node.next_try_s is not None:
        said.append(f"next try in {node.next_try_s:.1f} s")
    if node.waiting_for:
        said.append(f"waits for {node.waiting_for}" if node.status == "waiting" else node.waiting_for)
    return ", ".join(said)


def _duration(seconds: float) -> str:
    """`5m 32s`."""
    parts: list[str] = []
    left = int(seconds)
    for length, sign in _STEPS:
        if left >= length or parts:
            parts.append(f"{left // length}{sign}")
            left %= length
    return " ".join([*parts, f"{left}s"])
