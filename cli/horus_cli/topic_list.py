"""`horus topic list`: every topic of the namespace, and who really is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.common import bounded, json_option, namespace_option, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from horus_plugins.monitor.topics import Publisher, Subscriber, TopicState


@click.command("list")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show who publishes and subscribes, with pids and counts."
)
@json_option
@namespace_option
@bounded()
def list_topics(verbose: bool, as_json: bool) -> None:
    """List every topic of the namespace, whoever created it.

    Publishers and subscribers that are counted live now. A topic outlives its processes until it is cleaned.

    \b
    Examples:
      horus topic list
      horus topic list -v        with who publishes and subscribes
    """  # noqa: D301 - \b is click's sign for lines that are to stay
    from horus_core.shm import namespace  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import topics  # noqa: PLC0415

    where = namespace.current()
    namespace.require_ours(where)
    found = topics.topics(where)
    if as_json:
        _print_json(where, found)
    elif found:
        _print_table(found, verbose=verbose)
    if not found:
        _explain_nothing(where, topics.elsewhere(where))


def _print_json(where: str, found: list[TopicState]) -> None:
    from horus_plugins.monitor import topics  # noqa: PLC0415 - not needed for --help

    print_json(topics.TopicList(where, found))


def _print_table(found: list[TopicState], *, verbose: bool) -> None:
    width = max(len("TOPIC"), *(len(state.name) for state in found))
    kind_width = max(len("TYPE"), *(len(state.type) for state in found))
    click.echo(f"{'TOPIC':<{width}}  {'TYPE':<{kind_width}}  CAPACITY  PUBLISHERS  SUBSCRIBERS")
    for state in found:
        if state.error:
            click.echo(f"{state.name:<{width}}  unreadable: {state.error}")
            continue
        counts = f"{state.capacity:>8}  {len(state.publishers):>10}  {len(state.subscribers):>11}"
        click.echo(f"{state.name:<{width}}  {state.type:<{kind_width}}  {counts}")
        if verbose:
            _echo_all(_details(state))


def _details(state: TopicState) -> Iterable[str]:
    last = "no message yet" if state.age_s is None else f"last message {state.age_s:.3f} s ago"
    latched = ", latched" if state.latched else ""
    yield f"  {state.kind}, {state.size_bytes / 1024:.0f} KiB{latched}, {last}"
    for publisher in state.publishers:
        yield f"  publisher   {publisher.node}{_called(publisher)}  pid {publisher.pid or '?'}  sent {publisher.sent}"
    for subscriber in state.subscribers:
        counts = f"received {subscriber.delivered}  missed {subscriber.missed}  skipped {subscriber.skipped}"
        who = f"{subscriber.node}{_called(subscriber)}  pid {subscriber.pid or '?'}"
        yield f"  subscriber  {who}  {counts}  lag {subscriber.lag}"


def _called(end: Publisher | Subscriber) -> str:
    return f" (as {end.called})" if end.called else ""


def _echo_all(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _explain_nothing(where: str, others: dict[str, int]) -> None:
    click.echo(f"No topics in namespace {where!r}.", err=True)
    names: Sequence[str] = sorted(others, key=lambda name: -others[name])
    for name in names[:5]:
        count = f"{others[name]} topic{'s' if others[name] > 1 else ''}"
        click.echo(f"Namespace {name!r} has {count}: HORUS_NAMESPACE={name} horus topic list", err=True)
