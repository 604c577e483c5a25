"""`horus topic echo`: what comes on a topic."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from horus_cli.options import Number, current_namespace, namespace_option
from horus_cli.output import colour, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from horus_plugins.echo.formats import Format
    from horus_plugins.echo.listening import Limits
    from horus_plugins.echo.paths import Path

_COLOURS = {"name": "cyan", "unit": "green", "about": "bright_black"}
_SECONDS = Number(min=0, max=1e9, min_open=True)
_HZ = Number(min=1e-9, max=1e9)


@click.command("echo")
@click.argument("topic")
@click.option(
    "--field",
    "-f",
    "fields",
    multiple=True,
    metavar="PATH",
    help="Only this: pose.x, ranges[3]. May be repeated.",
)
@click.option("--count", "-n", type=click.IntRange(min=1), metavar="N", help="End after N messages.")
@click.option("--once", is_flag=True, help="End after one message.")
@click.option("--latest", is_flag=True, help="Begin with the newest message that is there, if there is one.")
@click.option("--rate", type=_HZ, metavar="HZ", help="Show at most so many a second: the newest each time.")
@click.option("--duration", type=_SECONDS, metavar="SECONDS", help="End after that long.")
@click.option(
    "--timeout", type=_SECONDS, metavar="SECONDS", help="Exit code 124 when nothing comes for so long."
)
@click.option("--meta", is_flag=True, help="Add number, time of sending and publisher.")
@click.option("--full", is_flag=True, help="Leave nothing out of long arrays, lists and texts.")
@click.option(
    "--json", "as_json", is_flag=True, help="A line of JSON a message; `topic pub --json -` reads it."
)
@click.option("--csv", "as_csv", is_flag=True, help="A row a message, after a header.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv", "msgpack"]),
    default="text",
    help="msgpack is a stream for `topic pub --format msgpack -`.",
)
@click.option(
    "--save", metavar="FILE", help="Write an image (.png) or array (.npy); {n} in it: every message."
)
@click.option(
    "--plot", metavar="PATH", help="Draw a number over time. Keys: + - window, space pause, q quit."
)
@namespace_option
def echo(topic: str, fields: tuple[str, ...], plot: str | None, **options: Any) -> None:
    """Show what comes on TOPIC, until Ctrl+C.

    Publishers do not notice: it never waits on the topic, it looks up to 50 times a second and more where that is
    needed. What was overwritten before it could be shown is counted on stderr.

    Examples:
      horus topic echo cmd_vel
      horus topic echo scan --field ranges[0] --rate 2
      horus topic echo odom --csv > odom.csv
      horus topic echo camera.rgb --save frame.png
      horus topic echo imu --plot accel_x
      horus topic echo a --json | horus topic pub b --json -
    """
    from horus_plugins.echo import depth, paths  # noqa: PLC0415 - not needed for --help

    form = _format(options)
    depth.allow()
    chosen = [paths.parse(field) for field in fields]
    current_namespace()  # refuses that of another user before anything is opened there
    if plot is not None:
        _plot(
            topic, paths.parse(plot), options, alone=form == "text" and not fields and options["save"] is None
        )
    elif options["save"] is not None:
        _save(topic, chosen, options)
    else:
        _follow(topic, chosen, form, options)


def _format(options: dict[str, Any]) -> str:
    named = {options["form"]} - {"text"}
    named |= {name for name, wanted in (("json", options["as_json"]), ("csv", options["as_csv"])) if wanted}
    if len(named) > 1:
        raise click.UsageError(f"{' and '.join(sorted(named))} do not go together: name one format.")
    form = next(iter(named), "text")
    if form == "msgpack" and sys.stdout.isatty():
        raise click.UsageError("--format msgpack is not for a terminal: pipe it, or write it to a file.")
    if form == "msgpack" and options["meta"]:
        raise click.UsageError("--format msgpack has no room for --meta: leave it out, or use --json.")
    return form


def _tell(line: str) -> None:
    click.echo(f"horus: {safe(line)}", err=True)


def _limits(options: dict[str, Any]) -> Limits:
    from horus_plugins.echo.listening import Limits  # noqa: PLC0415 - not needed for --help

    count = 1 if options["once"] else options["count"]
    return Limits(count, options["duration"], options["timeout"])


def _follow(topic: str, fields: Sequence[Path], form: str, options: dict[str, Any]) -> None:
    from horus_plugins.echo import following  # noqa: PLC0415 - not needed for --help

    listener = following.listening(
        topic, _tell, fields, newest=options["latest"], rate=options["rate"], meta=options["meta"]
    )
    shown = _formatter(listener.topic.name, fields, form, options)
    following.follow(listener, _limits(options), shown, following.Output(sys.stdout.buffer))


def _formatter(topic: str, fields: Sequence[Path], form: str, options: dict[str, Any]) -> Format:
    from horus_plugins.echo import formats  # noqa: PLC0415 - not needed for --help

    if form == "json":
        return formats.AsJson(topic, fields)
    if form == "csv":
        return formats.AsCsv(topic, fields, _tell, meta=options["meta"], terminal=sys.stdout.isatty())
    if form == "msgpack":
        return formats.AsMsgpack(topic, fields)
    return formats.AsText(topic, fields, full=options["full"], paint=_painter())


def _painter() -> Callable[[str, str], str] | None:
    if colour("x", "cyan") == "x":  # no terminal, or no colours wanted
        return None
    return lambda text, role: colour(text, _COLOURS[role])


def _save(topic: str, fields: Sequence[Path], options: dict[str, Any]) -> None:
    from horus_plugins.echo import following, saving  # noqa: PLC0415 - not needed for --help

    if len(fields) > 1:
        raise click.UsageError("--save writes one --field: leave the others out.")
    pattern: str = options["save"]
    limits = _limits(options)
    if saving.NUMBER not in pattern:
        if (limits.count or 1) > 1:
            raise click.UsageError(
                f"--save {pattern} is one file: put {saving.NUMBER} into its name for more."
            )
        limits = replace(limits, count=1)
    listener = following.listening(topic, _tell, fields, newest=options["latest"], rate=options["rate"])
    shown = _formatter(listener.topic.name, fields, "text", options)
    saver = following.Saver(pattern, fields, _tell)
    following.follow(listener, limits, shown, following.Output(sys.stdout.buffer), saver)


def _plot(topic: str, path: Path, options: dict[str, Any], *, alone: bool) -> None:
    from horus_plugins.echo import following, plotting  # noqa: PLC0415 - not needed for --help

    if not alone:
        raise click.UsageError("--plot stands alone: no other format, --field or --save with it.")
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise click.UsageError(
            "--plot draws on a terminal, and this is none: use --csv with --field instead."
        )
    held: list[str] = []  # what would spoil the picture
    listener = following.listening(
        topic, held.append, [path], newest=options["latest"], rate=options["rate"], meta=True
    )
    limits = _limits(options)
    try:
        plotting.run(listener, limits, path, held)
    finally:
        for line in held:
            _tell(line)
    following.require(listener, limits)
