"""`horus topic pub`: publish values."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from horus_cli.options import Number, current_namespace, namespace_option
from horus_cli.output import print_json, safe
from horus_core.errors import HorusError

if TYPE_CHECKING:
    from horus_plugins.echo.publishing import Publisher

_SECONDS = Number(min=0, max=1e9, min_open=True)
_HZ = Number(min=1e-9, max=1e9)


@click.command("pub", context_settings={"ignore_unknown_options": True})
@click.argument("topic")
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@click.option(
    "--type", "wanted", metavar="TYPE", help="For a new topic: CmdVel, module:Class, topic:OTHER, dict."
)
@click.option("--rate", type=_HZ, metavar="HZ", help="Send so many a second; VALUE until Ctrl+C, or -n.")
@click.option("--count", "-n", type=click.IntRange(min=1), metavar="N", help="Send N messages.")
@click.option("--hold", is_flag=True, help="Stay until Ctrl+C: a topic that nobody uses is cleaned up.")
@click.option("--latched", is_flag=True, help="Make the topic so that late subscribers get its last message.")
@click.option(
    "--wait", type=_SECONDS, metavar="SECONDS", help="First wait for a subscriber; else exit code 124."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Say as JSON, on stdout, what was sent; with - read JSON."
)
@click.option(
    "--format", "form", type=click.Choice(["json", "msgpack"]), help="What - brings. Default: json."
)
@namespace_option
def pub(topic: str, values: tuple[str, ...], wanted: str | None, as_json: bool, **options: Any) -> None:
    """Publish VALUE on TOPIC: as KEY=VALUE ..., as one JSON value, or - for what comes on stdin.

    It takes the type of the topic that is there; a new one carries dicts unless --type says otherwise. On stdin
    comes a line of JSON for each message, or a stream of MessagePack: what `topic echo` prints with --json or
    --format msgpack.

    Examples:
      horus topic pub cmd_vel linear=0.5 angular=0.1 --type CmdVel
      horus topic pub cmd_vel linear=0.5 --rate 10 -n 50
      horus topic pub nav_goal target.x=2 target.theta=1.57
      horus topic pub robot.status '{"battery": 85.0, "mode": "auto"}'
      horus topic echo a --json | horus topic pub b --json -
    """
    from horus_plugins.echo import depth  # noqa: PLC0415 - not needed for --help
    from horus_plugins.echo.publishing import Publisher, said_of  # noqa: PLC0415

    depth.allow()
    form = _source(values, options)
    current_namespace()  # refuses that of another user before anything is opened there
    publisher = Publisher(topic, _tell, wanted=wanted, latched=options["latched"])
    refused = False
    try:
        _send(publisher, values, form, options)
        if options["hold"]:
            publisher.hold()
    except HorusError:
        refused = form is None  # of stdin the lines before were sent
        raise
    finally:
        result = publisher.close()
        if refused and not result.sent and not result.dropped:
            pass  # the error says all
        elif as_json:
            print_json(result)
        else:
            _tell(said_of(result))
    click.get_current_context().exit(1 if result.dropped else 0)


def _source(values: tuple[str, ...], options: dict[str, Any]) -> str | None:
    """The format of what comes on stdin; None: the values are those that were typed."""
    unknown = next((value for value in values if value.startswith("--")), None)
    if unknown is not None:
        raise click.UsageError(f"No such option: {unknown}")
    if "-" not in values:
        if options["form"] is not None:
            raise click.UsageError("--format says what comes on stdin: give - as the VALUE.")
        return None
    if len(values) > 1:
        raise click.UsageError("- stands alone: values come from stdin or from the command line.")
    form: str = options["form"] or "json"
    return form


def _tell(line: str) -> None:
    click.echo(f"horus: {safe(line)}", err=True)


def _send(publisher: Publisher, values: tuple[str, ...], form: str | None, options: dict[str, Any]) -> None:
    from horus_plugins.echo import publishing, sources  # noqa: PLC0415 - not needed for --help

    pace = publishing.Pace(options["rate"])
    if form is not None:
        records = sources.of(form, sys.stdin.buffer)
        if options["wait"] is not None:
            records = publishing.after_subscriber(publisher, records, options["wait"])
        publishing.pour(publisher, records, pace, options["count"])
        return
    said = publishing.typed(publisher, values)
    if options["wait"] is not None:
        publisher.wait_for_subscriber(options["wait"])
    once = 1 if options["rate"] is None else None
    publishing.repeat(publisher, said, pace, options["count"] or once)
