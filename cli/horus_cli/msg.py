"""`horus msg`: message types, installed, in a file or on a topic."""

from __future__ import annotations

import click

from horus_cli.options import bounded, json_option, namespace_option
from horus_cli.output import echo_all, print_json


@click.group()
def msg() -> None:
    """See, check and compare message types.

    Examples:
      horus msg list                           all that are installed
      horus msg show LaserScan                 what lies where in one
      horus msg show --topic scan              the same for what a topic carries, whoever has its class
      horus msg check gripper.py               whether those of a file or module are as good as they can be
      horus msg diff Gripper topic:gripper     how mine differs from what is on the topic
    """


@msg.command("list")
@json_option
@bounded(30)
def list_types(as_json: bool) -> None:
    """List every message type that an installed package brings.

    Examples:
      horus msg list
    """
    from horus_plugins.monitor import message_text, message_types  # noqa: PLC0415 - not needed for --help

    found = message_types.listed()
    if as_json:
        print_json(message_types.MessageTypes(found))
    else:
        echo_all(message_text.table(found))
    for line in message_types.failures():
        click.echo(f"failed: {line}", err=True)


@msg.command()
@click.argument("type", metavar="[TYPE]", required=False)
@click.option("--topic", help="What this topic of the namespace carries, read from its region.")
@json_option
@namespace_option
@bounded(30)
def show(type: str | None, topic: str | None, as_json: bool) -> None:  # noqa: A002 - what it is called for users
    """Show a type: fields, offsets, units, defaults, hash.

    TYPE is the name of an installed one, `module:Class`, `file.py:Class`, or `topic:NAME`.

    Examples:
      horus msg show LaserScan        an installed one
      horus msg show --topic scan     what a topic carries, whoever has its class
    """
    from horus_plugins.monitor import message_lookup, message_text, message_types  # noqa: PLC0415

    if (type is None) == (topic is None):
        raise click.UsageError("Give a TYPE or --topic.")
    creator = None
    topic = (
        type.removeprefix(message_lookup.TOPIC) if type and type.startswith(message_lookup.TOPIC) else topic
    )
    if topic is not None:
        cls, creator = message_lookup.of_topic(topic)
        shown = message_types.describe(cls)
    elif message_types.is_pooled(type or ""):
        shown = message_types.pooled(type or "")
    else:
        cls = message_lookup.find(type or "")
        shown = message_types.describe(cls, *message_types.supplier(cls))
    if as_json:
        print_json(shown)
    else:
        echo_all(message_text.page(shown, creator))


@msg.command()
@click.argument("target")
@click.option("--strict", is_flag=True, help="Fail for notes, too.")
@json_option
@bounded(30)
@click.pass_context
def check(ctx: click.Context, target: str, strict: bool, as_json: bool) -> None:
    """Check the types that TARGET, a Python file, module or package, defines. Imports it.

    Errors are definitions that do not work and names that others have with another layout; notes are padding, missing
    units and docs, and default topics that others have. Exits with 1 when there are errors.

    Examples:
      horus msg check gripper.py
      horus msg check --strict my_messages
    """
    from horus_plugins.monitor import message_check, message_lookup  # noqa: PLC0415 - not needed for --help

    report = message_check.check(message_lookup.import_all(target), target)
    if as_json:
        print_json(report)
    else:
        echo_all(message_check.told(report))
    ctx.exit(1 if report.errors or (strict and report.findings) else 0)


@msg.command()
@click.argument("a")
@click.argument("b")
@json_option
@namespace_option
@bounded(30)
@click.pass_context
def diff(ctx: click.Context, a: str, b: str, as_json: bool) -> None:
    """Compare two types. Exits with 0 when they are the same type, 1 when not, 2 when one cannot be had.

    A and B are names of installed types, `module:Class`, `file.py:Class`, or `topic:NAME` for what a topic carries.

    Examples:
      horus msg diff Gripper topic:gripper
    """
    from horus_core.errors import HorusError  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import message_lookup, message_text  # noqa: PLC0415

    try:
        mine, theirs = message_lookup.find(a), message_lookup.find(b)
    except HorusError as error:
        click.echo(f"horus: {error}", err=True)
        ctx.exit(2)
    same = mine.__type_hash__ == theirs.__type_hash__
    lines = message_text.difference(mine, theirs, a, b)
    if as_json:
        print_json(message_text.Difference(same, a, b, list(lines)))
    else:
        echo_all(lines)
    ctx.exit(0 if same else 1)
