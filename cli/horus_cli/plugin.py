"""`horus plugin`: which plugins there are, whether they work, and switching them on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.options import Number, bounded, json_option
from horus_cli.output import print_json

if TYPE_CHECKING:
    from horus_plugins.monitor.plugins import PluginState

_TIMEOUT = click.option(
    "--timeout",
    type=Number(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds that each is given.",
)


@click.group()
def plugin() -> None:
    """See and switch plugins: message types, execution classes, backends, runners, commands, observers, nodes."""


@plugin.command("list")
@json_option
@bounded()
def list_plugins(as_json: bool) -> None:
    """List every plugin. None is imported.

    Examples:
      horus plugin list
    """
    from horus_plugins.monitor import plugins  # noqa: PLC0415 - not needed for --help

    _show(plugins.every(), as_json=as_json)


@plugin.command()
@click.argument("name")
@_TIMEOUT
@json_option
@click.pass_context
def info(ctx: click.Context, name: str, timeout: float, as_json: bool) -> None:
    """Load the plugins of a name, each in a process of its own, and tell all about them.

    NAME is a distribution, an entry point or a one-file plugin. Exits with 1 when one fails.

    Examples:
      horus plugin info horus-core
    """
    from horus_plugins.monitor import plugins  # noqa: PLC0415 - not needed for --help

    found = plugins.look_into(name, timeout)
    if as_json:
        _show(found, as_json=True)
    else:
        for state in found:
            click.echo("\n".join(plugins.details(state)))
    ctx.exit(1 if any(state.is_bad for state in found) else 0)


@plugin.command()
@click.argument("name", required=False)
@_TIMEOUT
@json_option
@click.pass_context
def check(ctx: click.Context, name: str | None, timeout: float, as_json: bool) -> None:
    """Load all plugins, or those of a name, each in a process of its own. Exits with 1 when one fails.

    Examples:
      horus plugin check               all of them
      horus plugin check horus-core
    """
    from horus_plugins.monitor import plugins  # noqa: PLC0415 - not needed for --help

    found = plugins.look_into(name, timeout)
    _show(found, as_json=as_json)
    ctx.exit(1 if any(state.is_bad for state in found) else 0)


@plugin.command()
@click.argument("name")
@json_option
@bounded()
def enable(name: str, as_json: bool) -> None:
    """Use the plugins of a name again.

    Examples:
      horus plugin enable horus-gripper
    """
    from horus_plugins.monitor import plugin_settings, plugins  # noqa: PLC0415 - not needed for --help

    changed = [str(path) for path in plugin_settings.enable(name)]
    if as_json:
        print_json(plugins.Switched(name, True, changed))
    else:
        click.echo(f"{name} is enabled{': ' + ', '.join(changed) if changed else ', and was before'}.")
    _say_overruled()


@plugin.command()
@click.argument("name")
@json_option
@bounded()
def disable(name: str, as_json: bool) -> None:
    """Use the plugins of a name no more: processes that start from now on do not see them.

    Noted in the project's horus.toml where there is one, else in the user's own settings.

    Examples:
      horus plugin disable horus-gripper
    """
    from horus_plugins.monitor import plugin_settings, plugins  # noqa: PLC0415 - not needed for --help

    path = str(plugin_settings.disable(name))
    if as_json:
        print_json(plugins.Switched(name, False, [path]))
    else:
        click.echo(f"{name} is disabled: {path}.")
    _say_overruled()


def _show(states: list[PluginState], *, as_json: bool) -> None:
    from horus_plugins.monitor import plugins  # noqa: PLC0415 - not needed for --help

    if as_json:
        print_json(plugins.PluginList([plugins.shown(state) for state in states]))
    else:
        for line in plugins.lines(states):
            click.echo(line)


def _say_overruled() -> None:
    import os  # noqa: PLC0415 - needed only here

    from horus_core.plugins import rules  # noqa: PLC0415 - not needed for --help

    if rules.ONLY in os.environ:
        click.echo(f"{rules.ONLY} is set in this environment, and counts for more.", err=True)
