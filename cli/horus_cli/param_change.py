"""`horus param set`, `delete` and `load`: change parameters in running processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horus_cli.exit_codes import FAILED
from horus_cli.options import bounded, current_namespace, json_option, namespace_option
from horus_cli.output import print_json, safe
from horus_cli.param_show import node_option, told, told_missing

if TYPE_CHECKING:
    from horus_plugins.monitor.params import Outcome

# What begins with a minus may be a number.
_NUMBERS = {"ignore_unknown_options": True}
_new_option = click.option("--new", is_flag=True, help="Set names, too, that no code has read yet.")


@click.command("set", context_settings=_NUMBERS)
@click.argument("name")
@click.argument("value")
@node_option
@click.option("--text", "as_text", is_flag=True, help="VALUE is text, also where it looks like a number.")
@click.option("--json-value", is_flag=True, help="VALUE is JSON: a list, an object, a text in quotes.")
@_new_option
@json_option
@namespace_option
@bounded()
@click.pass_context
def set_param(
    ctx: click.Context,
    name: str,
    value: str,
    node: str | None,
    as_text: bool,
    json_value: bool,
    new: bool,
    as_json: bool,
) -> None:
    """Set parameter NAME in every running process that reads it, and show what each has now.

    VALUE is what the code declared: a number, true or false, text, or JSON. A process may refuse it, and says why:
    exit code 1, although others may have taken it. What is set lasts until the process ends, or `horus param delete`.

    Examples:
      horus param set max_speed 1.5
      horus param set max_speed 0.5 --node arm
      horus param set gains '{"p": 1.5, "i": 0.1}'
    """
    from horus_plugins.monitor import params  # noqa: PLC0415 - not needed for --help

    fields = _fields(value, as_text=as_text, json_value=json_value)
    where = current_namespace()
    _show(ctx, params.change(where, "SetParam", name, node, new=new, **fields), as_json=as_json)


@click.command("delete")
@click.argument("name")
@node_option
@json_option
@namespace_option
@bounded()
@click.pass_context
def delete_param(ctx: click.Context, name: str, node: str | None, as_json: bool) -> None:
    """Forget what was set for parameter NAME: environment, file or default count again. Shows what each has now.

    Examples:
      horus param delete max_speed
    """
    from horus_plugins.monitor import params  # noqa: PLC0415 - not needed for --help

    where = current_namespace()
    _show(ctx, params.change(where, "DeleteParam", name, node), as_json=as_json)


@click.command("load")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@node_option
@_new_option
@json_option
@namespace_option
@bounded()
@click.pass_context
def load_params(ctx: click.Context, file: Path, node: str | None, new: bool, as_json: bool) -> None:
    """Set all parameters of FILE (YAML, JSON or TOML: names and values) in the processes that read them.

    All are asked first: when anything is refused, unknown or unanswered, nothing is set, and each problem is shown
    with its line. Then each process takes all of it at once.

    Examples:
      horus param load tuned.yaml
      horus param load arm.yaml --node arm
    """
    from horus_plugins.monitor import params_file  # noqa: PLC0415 - not needed for --help

    where = current_namespace()
    _show(ctx, params_file.load(where, file, node, new=new), as_json=as_json)


def _fields(value: str, *, as_text: bool, json_value: bool) -> dict[str, Any]:
    """The value as SetParam has it."""
    if as_text and json_value:
        raise click.UsageError("--text and --json-value do not go together: leave one out.")
    if as_text:
        return {"value": value}
    if not json_value:
        return {"text": value}
    try:
        return {"value": json.loads(value)}
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--json-value: expected JSON, got {value!r}: {error}.") from None


def _show(ctx: click.Context, outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print_json(outcome)
    else:
        for param in outcome.taken:
            click.echo(told(param))
    for one in outcome.refused:
        click.echo(f"horus: {safe(one.scheduler)} (pid {one.pid}) refuses: {safe(one.why)}", err=True)
    missing = told_missing(outcome)
    ctx.exit(FAILED if outcome.refused else missing)
