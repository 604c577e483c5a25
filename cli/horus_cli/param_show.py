"""`horus param list`, `get` and `save`: what parameters are set to, and by whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horus_cli.exit_codes import FAILED, TIMEOUT
from horus_cli.options import bounded, current_namespace, json_option, namespace_option
from horus_cli.output import echo_all, print_json, safe, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from horus_plugins.monitor.params import Outcome, Param, ParamList

    Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])

_WIDEST = 40


def node_option(function: Wrapped) -> Wrapped:
    """Add `--node NAME`."""
    return click.option(
        "--node", metavar="NAME", help="Only the processes of this node, scheduler or script."
    )(function)


@click.command("list")
@node_option
@json_option
@namespace_option
@bounded()
@click.pass_context
def list_params(ctx: click.Context, node: str | None, as_json: bool) -> None:
    """List the parameters of all running processes: value, type, unit, who set it, where, and what for.

    Each process that runs nodes or uses RuntimeParams is asked. One that gives no answer within 2 s is named on
    stderr, and the exit code is 124 then. What was given and is read by no code is marked: a name may be misspelt.

    Examples:
      horus param list
      horus param list --node arm
    """
    from horus_plugins.monitor import params  # noqa: PLC0415 - not needed for --help

    found = params.listed(current_namespace(), node)
    if as_json:
        print_json(found)
    elif found.params:
        headers = ("NAME", "VALUE", "TYPE", "UNIT", "ORIGIN", "NODE", "PID", "MEANING")
        echo_all(table(headers, [_row(param) for param in found.params], right=("PID",)))
    if not found.params and not found.silent:
        what = f"No parameters in namespace {found.namespace!r}: nobody runs there who uses any."
        click.echo(what + params.elsewhere(found.namespace), err=True)
    ctx.exit(told_missing(found))


@click.command("get")
@click.argument("name")
@node_option
@json_option
@namespace_option
@bounded()
@click.pass_context
def get_param(ctx: click.Context, name: str, node: str | None, as_json: bool) -> None:
    """Show the value of parameter NAME in each process that has it, and who set it.

    Examples:
      horus param get max_speed
      horus param get max_speed --node arm --json
    """
    from horus_plugins.monitor import params  # noqa: PLC0415 - not needed for --help

    found = params.of_name(current_namespace(), name, node)
    if as_json:
        print_json(found)
    else:
        echo_all([told(param) for param in found.params])
    ctx.exit(told_missing(found))


@click.command("save")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@node_option
@click.option("--replace", is_flag=True, help="Write over a file that is there.")
@json_option
@namespace_option
@bounded()
def save_params(file: Path, node: str | None, replace: bool, as_json: bool) -> None:
    """Save all parameters that can be set into a YAML FILE, for `horus param load` or HORUS_PARAMS_FILE.

    Fails where a name has different values in different processes: --node saves those of one.

    Examples:
      horus param save tuned.yaml
      horus param save arm.yaml --node arm --replace
    """
    from horus_plugins.monitor import params_file  # noqa: PLC0415 - not needed for --help

    saved = params_file.save(current_namespace(), file, node, replace=replace)
    if as_json:
        print_json(saved)
    else:
        click.echo(f"{safe(saved.file)}: {len(saved.names)} parameters")


def told(param: Param) -> str:
    """A parameter in one line."""
    unit = f" {param.unit}" if param.unit else ""
    return safe(
        f"{param.name} = {shown(param.value)}{unit}  ({param.origin}; {_where(param)}, pid {param.pid})"
    )


def told_missing(found: ParamList | Outcome) -> int:
    """Name on stderr who gave no answer, and what cannot be read; the exit code."""
    for what, why in found.unreadable.items():
        click.echo(f"horus: {safe(what)} cannot be read: {safe(why)}", err=True)
    for one in found.silent:
        click.echo(f"horus: {safe(one.why)}", err=True)
    return TIMEOUT if found.silent else FAILED if found.unreadable else 0


def shown(value: Any) -> str:
    """A value as JSON."""
    import msgspec  # noqa: PLC0415 - not needed for --help

    return msgspec.json.encode(value).decode()


def _row(param: Param) -> Sequence[str]:
    value = shown(param.value)
    value = value if len(value) <= _WIDEST else f"{value[: _WIDEST - 1]}…"
    about = "; ".join(part for part in _meaning(param) if part)
    return param.name, value, param.type, param.unit, param.origin, _where(param), str(param.pid), about


def _meaning(param: Param) -> Iterable[str]:
    yield param.doc.splitlines()[0].removesuffix(".") if param.doc else ""
    if param.choices is not None:
        yield f"one of {', '.join(shown(one) for one in param.choices)}"
    if param.min is not None or param.max is not None:
        yield _limits(param.min, param.max)
    if param.fixed:
        yield "fixed while it runs"
    if not param.asked:
        yield "read by nothing"


def _limits(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _where(param: Param) -> str:
    return ",".join(param.nodes) or param.scheduler
