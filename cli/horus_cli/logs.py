"""`horus logs`: what the nodes of all processes say, living or dead."""

from __future__ import annotations

import select
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

import click

from horus_cli.options import bounded, current_namespace, json_option, namespace_option, until_interrupted
from horus_cli.output import colour, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from horus_plugins.monitor.log_filter import Wanted
    from horus_plugins.monitor.logs import LogLine, Missing, Reader

_LEVELS = ("debug", "info", "warning", "error", "critical")
_COLOURS = {"debug": "bright_black", "info": "green", "warning": "yellow", "error": "red", "critical": "red"}
_BEFORE_FOLLOWING = 10


def _checked(parse: str) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """What an option's text means; what is wrong with it is a usage error."""

    def check(ctx: click.Context, parameter: click.Parameter, text: str | None) -> Any:
        from horus_core.errors import ConfigError  # noqa: PLC0415 - not needed for --help
        from horus_plugins.monitor import log_filter  # noqa: PLC0415

        if text is None or ctx.resilient_parsing:
            return None
        try:
            return getattr(log_filter, parse)(text)
        except ConfigError as error:
            raise click.BadParameter(str(error), ctx, parameter) from None

    return check


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with what is logged, until Ctrl+C.")
@click.option(
    "--node", "nodes", multiple=True, metavar="NODE", help="Only of this node (also 'arm*'); may be repeated."
)
@click.option(
    "--level",
    type=click.Choice([*_LEVELS, "warn"], case_sensitive=False),
    default="debug",
    help="Only from this level on.",
)
@click.option(
    "--since", metavar="TIME", callback=_checked("time_of"), help="From then on: 5m (ago), 14:05, a date."
)
@click.option("--until", metavar="TIME", callback=_checked("time_of"), help="Up to then.")
@click.option(
    "-n",
    "--lines",
    "count",
    type=click.IntRange(min=0),
    metavar="COUNT",
    help=f"Only the last so many. Default: all; with -f {_BEFORE_FOLLOWING}.",
)
@click.option(
    "--grep",
    metavar="RE",
    callback=_checked("pattern"),
    help="Only with this regular expression in the text.",
)
@click.option("--pid", "pids", type=int, multiple=True, help="Only of this process; may be repeated.")
@json_option
@namespace_option
@bounded(60)
@click.pass_context
def logs(
    ctx: click.Context,
    follow: bool,
    nodes: tuple[str, ...],
    level: str,
    since: int | None,
    until: int | None,
    count: int | None,
    grep: Any,
    pids: tuple[int, ...],
    as_json: bool,
) -> None:
    """Show what the nodes of all processes of the namespace have logged, by time.

    Also of processes that are dead, however they ended. What a process logs, beside its stderr, is decided by its
    HORUS_LOG. With --json each line is an object.

    Examples:
      horus logs                               all that is there
      horus logs -f                            the last lines, and what comes
      horus logs -f --node camera --node arm   of two nodes
      horus logs --level warning --since 5m    what went wrong lately
      horus logs --grep 'joint [0-9]' --json   for scripts
    """
    from horus_plugins.monitor import log_filter  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import logs as monitor  # noqa: PLC0415

    if follow:
        until_interrupted(ctx)
    where = current_namespace()
    level = "warning" if level == "warn" else level
    wanted = log_filter.Wanted(nodes, level, pids, grep, since or 0, until or 0)
    reader = monitor.Reader(where)
    show = print_json if as_json else _shower()
    found = [line for line in reader.read(wanted.since_ns) if wanted.has(line)]
    if count is None and follow and since is None:
        count = _BEFORE_FOLLOWING
    for line in found if count is None else deque(found, maxlen=count):
        show(line)
    if follow:
        _follow(reader, wanted, show)
        return
    _tell_missing(reader.missing(), older=since is None and count is None)
    _tell_unreadable(reader)
    if not found:
        _explain_nothing(where, reader)


def _shower() -> Callable[[LogLine], None]:
    from horus_plugins.monitor import logs as monitor  # noqa: PLC0415 - not needed for --help

    levels = {name: colour(name.upper(), _COLOURS[name], bold=name == "critical") for name in _LEVELS}
    return lambda line: click.echo(monitor.shown(line, levels[line.level]))


def _follow(reader: Reader, wanted: Wanted, show: Callable[[LogLine], None]) -> None:
    """Until Ctrl+C, or until nobody reads what is shown."""
    from horus_plugins.monitor import logs as monitor  # noqa: PLC0415 - not needed for --help

    _flush()
    _tell_unreadable(reader)
    reader.say_missing()  # before the lines that are followed
    try:
        for lines, missing in monitor.follow(reader, is_over=_nobody_reads):
            shown = [line for line in lines if wanted.has(line)]
            for line in shown:
                show(line)
            if shown:
                _flush()
            _tell_missing(missing, older=True)
    finally:
        _tell_missing(reader.say_missing(), older=True)


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _nobody_reads() -> bool:
    """Whether stdout is a pipe whose reader is gone: without a line to write nothing else would say so."""
    poller = select.poll()
    try:
        poller.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError, AttributeError):
        return False
    return any(event & select.POLLERR for _, event in poller.poll(0))


def _tell_missing(missing: Iterable[Missing], *, older: bool) -> None:
    for one in missing:
        if one.removed and older:
            why = "newer ones took the room, or a file was removed"
            click.echo(f"horus: {_lines_of(one.removed, one.pid)} gone: {why}.", err=True)
        if one.lost:
            click.echo(f"horus: {_lines_of(one.lost, one.pid)} lost: shared memory was full.", err=True)


def _lines_of(count: int, pid: int) -> str:
    return f"{count} line{'s' if count > 1 else ''} of process {pid} {'are' if count > 1 else 'is'}"


def _tell_unreadable(reader: Reader) -> None:
    for pid in sorted(reader.unreadable):
        click.echo(
            f"horus: the lines of process {pid} are not shown: its files are another user's.", err=True
        )


def _explain_nothing(where: str, reader: Reader) -> None:
    from horus_plugins.monitor import logs as monitor  # noqa: PLC0415 - not needed for --help

    if reader.has_any:
        click.echo(f"None of the lines that are logged in namespace {where!r} is asked for.", err=True)
        return
    click.echo(f"Nothing is logged in namespace {where!r}.", err=True)
    others = monitor.elsewhere(where)
    for other in sorted(others, key=lambda name: -others[name])[:5]:
        count = f"{others[other]} process{'es' if others[other] > 1 else ''}"
        click.echo(f"Namespace {other!r} has logs of {count}: horus logs --namespace {other}", err=True)
