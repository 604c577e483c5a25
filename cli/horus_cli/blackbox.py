"""`horus blackbox`: what a scheduler did last, living or dead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from horus_cli.options import (
    Number,
    bounded,
    current_namespace,
    json_option,
    namespace_option,
    until_interrupted,
)
from horus_cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_plugins.monitor.blackbox import Reader, Report
    from horus_plugins.monitor.schedulers import SchedulerRecord


@click.command()
@click.argument("name", required=False)
@click.option(
    "--last",
    type=Number(0, 1e9),
    metavar="SECONDS",
    help="Ticks and events of so many seconds before now, or before its end. Default: 5; with --trace all.",
)
@click.option("--node", "only", multiple=True, metavar="NODE", help="Only this node; may be repeated.")
@click.option("--ticks", "every", is_flag=True, help="Show every tick; else many good ones are one line.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what happens, until the scheduler is gone.")
@click.option(
    "--trace",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write all recorded ticks, by thread, to a file (-: stdout) for ui.perfetto.dev or chrome://tracing.",
)
@json_option
@namespace_option
@bounded(60)
@click.pass_context
def blackbox(
    ctx: click.Context,
    name: str | None,
    last: float | None,
    only: tuple[str, ...],
    every: bool,
    follow: bool,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Show what scheduler NAME did last: its nodes, ticks, failures with traceback, stops.

    Works while it runs and after it was killed. Without NAME: the only one of the namespace, or a list. A
    scheduler is called as given in Scheduler(name=...), else HORUS_NODE_NAME, else as its only node.

    Examples:
      horus blackbox                       the only scheduler, or which there are
      horus blackbox robot --last 60       the last minute of it
      horus blackbox robot --node arm -f   what the arm does, as it does it
      horus blackbox robot --trace t.json  every tick, to look at in ui.perfetto.dev
    """
    from horus_plugins.monitor import blackbox as box  # noqa: PLC0415 - not needed for --help

    where = current_namespace()
    if follow:
        _without_limit(ctx, trace)
    records = _chosen(where, name)
    if len(records) != 1 and (follow or trace):
        raise click.UsageError(
            f"{'--follow' if follow else '--trace'} needs the NAME of a scheduler that is there."
        )
    readers = [box.Reader(record, only) for record in records]
    reports = [reader.report(box.LAST_S if last is None else last) for reader in readers]
    if name is not None or len(reports) == 1:
        _require_nodes(reports[0], only, follow=follow)
    if trace is not None:
        _write_trace(trace, readers[0].report(last), records[0])
    elif as_json and follow:
        _follow_json(readers[0], records[0], reports[0])
    elif as_json:
        _print_json(where, reports)
    elif name is not None or len(reports) == 1:
        _print_one(reports[0], every=every)
        if follow:
            _follow(readers[0], records[0], every=every)
    else:
        _print_list(reports)
    if not records:
        _explain_nothing(where)


def _chosen(where: str, name: str | None) -> list[SchedulerRecord]:
    from horus_plugins.monitor import blackbox as box  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import schedulers  # noqa: PLC0415

    if name is not None:
        return [box.named(where, name)]
    records, unreadable = schedulers.schedulers(where)
    for other, why in unreadable.items():
        click.echo(f"horus: the record of scheduler {other!r} cannot be read: {why}", err=True)
    return records


def _without_limit(ctx: click.Context, trace: Path | None) -> None:
    if trace:
        raise click.UsageError("--follow and --trace do not go together: leave one out.")
    until_interrupted(ctx)


def _require_nodes(report: Report, only: Iterable[str], *, follow: bool) -> None:
    """Raise HorusError for a name that stands nowhere in the record; who follows may wait for it."""
    from horus_core.errors import HorusError  # noqa: PLC0415 - not needed for --help

    there = {node.figures["name"] for node in report.nodes}
    seen = there | {tick.node for tick in report.ticks} | {event.node for event in report.events}
    for name in only:
        if name in seen:
            continue
        if not follow:
            raise HorusError(
                f"No node {name!r} in the record of scheduler {report.name!r}: expected a node that it has, got "
                f"{name!r}. Without --node all are shown."
            )
        click.echo(f"horus: scheduler {report.name!r} has no node {name!r} now.", err=True)


def _print_one(report: Report, *, every: bool) -> None:
    from horus_plugins.monitor import timeline  # noqa: PLC0415 - not needed for --help

    _echo_all(timeline.header(report))
    click.echo()
    _echo_all(timeline.table(report.nodes))
    click.echo()
    _echo_all(timeline.happenings(report.events, report.ticks, every=every))


def _print_list(reports: list[Report]) -> None:
    if not reports:
        return
    width = max(len("SCHEDULER"), *(len(report.name) for report in reports))
    click.echo(f"{'SCHEDULER':<{width}}  {'STATE':<7}  {'PID':>7}  NODES  SINCE")
    for report in reports:
        since = report.since.replace("T", " ")[:19]
        click.echo(
            f"{report.name:<{width}}  {report.state:<7}  {report.pid:>7}  {len(report.nodes):>5}  {since}"
        )


def _print_json(where: str, reports: list[Report]) -> None:
    from horus_plugins.monitor import blackbox as box  # noqa: PLC0415 - not needed for --help

    print_json(box.Blackboxes(where, reports))


def _follow(reader: Reader, record: SchedulerRecord, *, every: bool) -> None:
    from horus_plugins.monitor import blackbox as box  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import timeline  # noqa: PLC0415

    for events, ticks in box.follow(reader, record):
        _echo_all(timeline.happenings(events, ticks, every=every))
    click.echo(f"Scheduler {record.name} {'has ended' if record.look() == 'ended' else 'was killed'}.")


def _follow_json(reader: Reader, record: SchedulerRecord, report: Report) -> None:
    from horus_plugins.monitor import blackbox as box  # noqa: PLC0415 - not needed for --help

    print_json(box.Followed(report=report))
    for events, ticks in box.follow(reader, record):
        for event in events:
            print_json(box.Followed(event=event))
        for tick in ticks:
            print_json(box.Followed(tick=tick))
    print_json(box.Followed(state=record.look()))


def _write_trace(file: Path, report: Report, record: SchedulerRecord) -> None:
    from horus_core.errors import HorusError  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import trace  # noqa: PLC0415

    encoded = trace.encode(report, record)
    if str(file) == "-":
        click.echo(encoded, nl=False)
        return
    try:
        file.write_bytes(encoded)
    except OSError as error:
        raise HorusError(
            f"Writing the trace failed: expected a file that can be made, got {error.strerror} ({file}). Give "
            f"another FILE, or - for stdout."
        ) from error
    click.echo(f"Wrote {len(report.ticks)} ticks to {file}: open it in ui.perfetto.dev.", err=True)


def _explain_nothing(where: str) -> None:
    from horus_plugins.monitor import schedulers  # noqa: PLC0415 - not needed for --help

    click.echo(
        f"No records of schedulers in namespace {where!r}. A run that ended without trouble leaves none.",
        err=True,
    )
    others = schedulers.elsewhere(where)
    for other in sorted(others, key=lambda name: -others[name])[:5]:
        count = f"{others[other]} record{'s' if others[other] > 1 else ''}"
        click.echo(f"Namespace {other!r} has {count}: horus blackbox --namespace {other}", err=True)


def _echo_all(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
