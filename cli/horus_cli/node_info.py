"""`horus node info`: all that can be told of one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli import completing
from horus_cli.options import bounded, current_namespace, json_option, namespace_option
from horus_cli.output import echo_all, print_json, safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from horus_plugins.monitor.node_detail import End, NodeDetail

_LABEL = 13
_MEGABYTE = 1e6


@click.command()
@click.argument("name", shell_complete=completing.nodes)
@json_option
@namespace_option
@bounded()
@click.pass_context
def info(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show everything about node NAME: process, figures, topics, what happened last.

    Works for a node that runs, hangs or is frozen, and for one that crashed and has left a record. Exits with 1
    when there is no such node, or something cannot be read.

    Examples:
      horus node info camera  its process, rates, times, topics, events and last failure
    """
    from horus_plugins.monitor import node_detail  # noqa: PLC0415 - not needed for --help

    where = current_namespace()
    found = node_detail.detail(where, name)
    if as_json:
        print_json(found)
    else:
        echo_all(lines(found))
    for what, why in found.unreadable.items():
        click.echo(f"horus: {what} cannot be read: {safe(why)}", err=True)
    ctx.exit(1 if found.unreadable else 0)


def lines(found: NodeDetail) -> Iterator[str]:
    """All of it as text, safe to show."""
    node = found.node
    yield f"Node {safe(node.name)}: {node.state.capitalize()}"
    if node.note:
        yield f"  {safe(node.note)}"
    for label, text in (*_process(found), *_figures(found)):
        yield f"  {label:<{_LABEL}}{safe(text)}"
    for label, ends in (("publishes", found.publishes), ("subscribes", found.subscribes)):
        texts = [_end(end, label) for end in ends] or ["nothing"]
        for number, text in enumerate(texts):
            yield f"  {label if number == 0 else '':<{_LABEL}}{safe(text)}"
    yield from _happened(found)


def _happened(found: NodeDetail) -> Iterator[str]:
    from horus_plugins.monitor import dates  # noqa: PLC0415 - not needed for --help

    if found.events:
        yield "Last events:"
    for event in found.events:
        told = _event_text(event.text, event.state)
        yield f"  {event.time[:19].replace('T', ' ')}  {safe(event.kind)}  {told}"
    if found.log:
        yield "Last log lines:"
    for line in found.log:
        yield f"  {dates.seconds(line.time_ns)}  {line.level}  {safe(line.text)}"
    if found.crashed:
        when = (found.crashed_at or "?")[:19].replace("T", " ")
        yield f"Crashed {when}: {safe(found.crashed.splitlines()[0] if found.crashed else '')}"
    if found.failure:
        yield "Last failure:"
        yield from (f"  {safe(line)}" for line in found.failure.rstrip().splitlines())


def _process(found: NodeDetail) -> Iterator[tuple[str, str]]:
    from horus_plugins.monitor import dates  # noqa: PLC0415 - not needed for --help

    node, process = found.node, found.process
    if process is None:
        yield (
            "process",
            f"pid {node.pid or '?'}, gone" if node.state in {"crashed", "stopped"} else f"pid {node.pid}",
        )
    else:
        who = f"pid {process.pid} on {process.host}, user {process.user}"
        yield "process", f"{who}, {process.threads} threads, up {dates.span(process.uptime_s)}"
        yield "command", process.command
        shared = process.shared_memory_bytes
        more = "" if shared is None else f", of which {shared / _MEGABYTE:.1f} MB are shared memory"
        cpu = "?" if node.cpu_percent is None else f"{node.cpu_percent:.1f} %"
        yield "cpu", f"{cpu} of one core, of the whole process"
        yield "memory", f"{process.memory_bytes / _MEGABYTE:.1f} MB{more}"
    if node.session:
        yield "launch", node.session


def _figures(found: NodeDetail) -> Iterator[tuple[str, str]]:
    from horus_plugins.monitor import dates  # noqa: PLC0415 - not needed for --help

    node, get = found.node, found.node.figures
    if node.uptime_s is not None:
        yield "up", dates.span(node.uptime_s)
    if get is None:
        yield "order", str(node.order)
        return
    critical = ", critical" * get.critical
    yield "scheduler", f"{node.scheduler}, class {get.execution_class}, order {get.order}{critical}"
    asked = f"{node.rate_hz:g} Hz" if node.rate_hz else "by messages"
    reached = "" if node.reached_hz is None else f", reached {node.reached_hz:.4g} Hz"
    busy = "" if node.busy_percent is None else f", in ticks {node.busy_percent:.1f} % of the time"
    yield "rate", f"{asked}{reached}{busy}"
    counts = f"{get.failed_ticks} failed, {get.missed_deadlines} missed their deadline"
    yield "ticks", f"{get.total_ticks}: {counts}, releases left out: {get.skipped_releases}"
    p50, p99, most = get.p50_tick_duration_ms, get.p99_tick_duration_ms, get.max_tick_duration_ms
    yield "tick takes", f"p50 {p50:.3f} ms, p99 {p99:.3f} ms, max {most:.3f} ms"
    yield "begins late", f"p50 {get.late_start_p50_ms:.3f} ms, p99 {get.late_start_p99_ms:.3f} ms"
    safe = ", in its safe state" * get.safe_state
    yield "health", f"{get.health}{safe}; restarted {get.restarts}, hung {get.hangs} times"
    if get.granted:
        yield "granted", ", ".join(get.granted)
    if get.refused:
        yield "refused", ", ".join(get.refused)


def _end(end: End, label: str) -> str:
    kind = f" ({end.type})" if end.type else ""
    called = f", which it calls {end.called}" if end.called else ""
    if not end.open:
        return f"{end.topic}{kind}{called}, not open"
    if label == "publishes":
        return f"{end.topic}{kind}{called}, sent {end.messages}"
    return f"{end.topic}{kind}{called}, received {end.messages}, missed {end.missed}, lag {end.lag}"


def _event_text(text: str, state: str | None) -> str:
    told: Sequence[str] = [state] if state else text.strip().splitlines()
    return safe(told[-1]) if told else ""
