"""The table of `horus node list`."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from horus_cli.output import colour, safe, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.node_list import ListedNode, NodeList

_COLUMNS = ["NAME", "STATUS", "PRIORITY", "RATE", "TICKS", "SOURCE", "CPU"]
_MORE = [
    "REACHED",
    "BUSY",
    "MEMORY",
    "MISSED",
    "TICK-p99",
    "UPTIME",
    "CLASS",
    "GRANTED",
    "REFUSED",
]
_RIGHT = (*_COLUMNS[2:], *_MORE[:6])
_COLOURS = {"running": "green", "paused": "yellow", "stopped": "white"}
_BAD = "red"
_MEGABYTE = 1e6
_IN_FULL_HZ = 1e4  # from then on four digits would need an exponent


def lines(listed: NodeList, *, verbose: bool) -> list[str]:
    """Title, a table for each launch session and one for what no launcher started, the total, and notes."""
    if not listed.nodes:
        return []
    headers = _COLUMNS + _MORE * verbose
    head, *rows = table(headers, [_cells(node, verbose=verbose) for node in listed.nodes], right=_RIGHT)
    rule = "-" * max(map(len, (head, *rows)))
    at = head.index("STATUS")
    shown = ["Running Nodes:", ""]
    drawn = zip(listed.nodes, rows, strict=True)
    for session, group in groupby(drawn, key=lambda pair: pair[0].session):
        members = list(group)
        if session:
            shown.append(f"Launch: {safe(session)} ({_count(len(members), 'node')})")
        elif len(members) < len(listed.nodes):
            shown.append(f"Not launched ({_count(len(members), 'node')})")
        shown += [head, rule, *(_coloured(line, node, at) for node, line in members), ""]
    return [*shown, f"Total: {len(listed.nodes)} node(s)", *_notes(listed)]


def _cells(node: ListedNode, *, verbose: bool) -> list[str]:
    cells = [
        node.name,
        node.state.capitalize(),
        str(node.order),
        _hertz(node.rate_hz or None),
        "-" if node.ticks is None else str(node.ticks),
        str(node.pid or "?"),
        _percent(node.cpu_percent),
    ]
    return cells + _more(node) if verbose else cells


def _more(node: ListedNode) -> list[str]:
    from horus_plugins.monitor import dates  # noqa: PLC0415 - only with --verbose

    figures = node.figures
    return [
        _hertz(node.reached_hz),
        _percent(node.busy_percent),
        "-" if node.memory_bytes is None else f"{node.memory_bytes / _MEGABYTE:.1f} MB",
        "-" if figures is None else str(figures.missed_deadlines),
        "-" if figures is None else f"{figures.p99_tick_duration_ms:.3f} ms",
        "-" if node.uptime_s is None else dates.span(node.uptime_s),
        "-" if figures is None else figures.execution_class,
        "-" if figures is None else ", ".join(figures.granted) or "-",
        "-" if figures is None else ", ".join(figures.refused) or "-",
    ]


def _hertz(rate: float | None) -> str:
    if rate is None:
        return "-"
    return f"{rate:.4g} Hz" if rate < _IN_FULL_HZ else f"{rate:.0f} Hz"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1f} %"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _coloured(line: str, node: ListedNode, at: int) -> str:
    status = node.state.capitalize()
    if line[at : at + len(status)] != status:  # a name of wide characters has moved it
        return line
    painted = colour(status, _COLOURS.get(node.state, _BAD))
    return line[:at] + painted + line[at + len(status) :]


def _notes(listed: NodeList) -> Iterator[str]:
    shared = len({node.pid for node in listed.nodes if node.memory_bytes}) < sum(
        node.memory_bytes is not None for node in listed.nodes
    )
    if shared:
        yield "CPU is that of the whole process: nodes with the same SOURCE share it."
    noted: dict[str, list[str]] = {}
    for node in listed.nodes:
        if node.note:
            noted.setdefault(node.note, []).append(node.name)
    for note, names in noted.items():
        yield f"{safe(', '.join(names))}: {safe(note)}"
