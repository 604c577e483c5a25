"""`horus topic list`: every topic of the namespace, and who really is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.options import bounded, current_namespace, json_option, namespace_option
from horus_cli.output import print_json, safe, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from horus_plugins.monitor.topics import TopicState


@click.command("list")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show who publishes and subscribes, with pids, counts and rates."
)
@click.option("--all", "reserved", is_flag=True, help="HORUS's own topics, too.")
@json_option
@namespace_option
@bounded()
def list_topics(verbose: bool, reserved: bool, as_json: bool) -> None:
    """List every topic of the namespace, whoever created it.

    STATE says what is so now:
      active    a living publisher has just sent (within a second, or three of its intervals)
      idle      there is a living publisher, and it has not
      waiting   there are subscribers, but no publisher lives
      unused    nobody is there; it stays until it is cleaned

    Rates are of the last 2 s, as far as the topic's ring reaches back.

    Examples:
      horus topic list
      horus topic list -v
      horus topic list --json
    """
    from horus_plugins.monitor import topics  # noqa: PLC0415 - not needed for --help

    where = current_namespace()
    found = topics.topics(where)
    shown = found if reserved else [state for state in found if not topics.is_reserved(state.name)]
    if as_json:
        print_json(topics.TopicList(where, shown))
    elif shown:
        _print_table(shown, verbose=verbose)
    if not shown:
        _explain_nothing(where, topics.elsewhere(where), len(found))


def _print_table(found: list[TopicState], *, verbose: bool) -> None:
    from horus_plugins.monitor import topic_text  # noqa: PLC0415 - not needed for --help

    head, *lines = table(
        topic_text.HEADERS, [topic_text.row(state) for state in found], right=topic_text.RIGHT
    )
    shown = [head]
    for line, state in zip(lines, found, strict=True):
        shown.append(f"{line}  {safe(state.error)}" if state.error and not verbose else line)
        if verbose:
            shown += topic_text.details(state)
    click.echo("\n".join(shown))  # at once: line by line a thousand of them take 10 ms


def _explain_nothing(where: str, others: dict[str, int], hidden: int) -> None:
    own = f" of your own; --all shows HORUS's {hidden}" if hidden else ""
    click.echo(f"No topics in namespace {where!r}{own}.", err=True)
    names: Sequence[str] = sorted(others, key=lambda name: -others[name])
    for name in names[:5]:
        count = f"{others[name]} topic{'s' if others[name] > 1 else ''}"
        click.echo(f"Namespace {name!r} has {count}: horus topic list --namespace {name}", err=True)
