"""What the commands have in common: options, and how data is shown."""

from __future__ import annotations

import math
import os
import signal
import sys
import unicodedata
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])
    Arguments = ParamSpec("Arguments")
    Result = TypeVar("Result")

_GAP = "  "


class Number(click.FloatRange):
    """A number within limits. NaN is within none: no comparison with it is ever true."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value as a float; a usage error for what is none, or lies outside."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"expected a number, got {value}.", param, ctx)
        return number


class TimeIsUp(BaseException):
    """The time of a command is up; no `except Exception` on its way is to hold it."""


def namespace_option(function: Wrapped) -> Wrapped:
    """Add `--namespace NAME`: where the command looks, in the place of HORUS_NAMESPACE."""
    return click.option(
        "--namespace",
        metavar="NAME",
        expose_value=False,
        is_eager=True,
        callback=_use_namespace,
        help="Look there, not in HORUS_NAMESPACE or the terminal's.",
    )(function)


def json_option(function: Wrapped) -> Wrapped:
    """Add `--json`, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="All of it as JSON, for scripts.")(function)


def bounded(
    seconds: float = 10.0,
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Add `--timeout SECONDS`: the command ends with exit code 124 when it takes longer."""

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @wraps(function)
        def within(*args: Arguments.args, **keywords: Arguments.kwargs) -> Result:
            limit = click.get_current_context().meta.get(_LIMIT, seconds)
            before = signal.signal(signal.SIGALRM, _time_is_up)
            signal.setitimer(signal.ITIMER_REAL, limit)
            try:
                return function(*args, **keywords)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)

        return click.option(
            "--timeout",
            type=Number(min=0, max=1e6, min_open=True),
            metavar="SECONDS",
            expose_value=False,
            callback=_note_limit,
            help=f"Give up after that long, with exit code 124. Default: {seconds:g}.",
        )(within)

    return decorate


def follow(ctx: click.Context) -> None:
    """A bounded command goes on until it is interrupted, this time: only a `--timeout` that was given ends it."""
    if _LIMIT not in ctx.meta:
        signal.setitimer(signal.ITIMER_REAL, 0)


_LIMIT = "horus_cli.common.limit"


def _note_limit(ctx: click.Context, _parameter: click.Parameter, seconds: float | None) -> None:
    if seconds is not None:
        ctx.meta[_LIMIT] = seconds


def _time_is_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeIsUp


def chosen_namespace() -> str | None:
    """What `--namespace` says before or after the command; None where it is not given."""
    name: str | None = click.get_current_context().meta.get(_NAMESPACE)
    return name


_NAMESPACE = "horus_cli.common.namespace"


def _use_namespace(ctx: click.Context, _parameter: click.Parameter, name: str | None) -> None:
    if name is None or ctx.resilient_parsing:
        return
    from horus_core import names  # noqa: PLC0415 - not needed for --help
    from horus_core.errors import InvalidNameError  # noqa: PLC0415
    from horus_core.shm import namespace  # noqa: PLC0415

    try:
        os.environ[namespace.VARIABLE] = names.namespace_name(name)
        ctx.meta[_NAMESPACE] = name
    except InvalidNameError as error:
        raise click.UsageError(str(error), ctx) from None


def print_json(value: object) -> None:
    """Write a value as one line of JSON to stdout. Its shape stands in horus_cli/shapes.py."""
    import msgspec  # noqa: PLC0415 - not needed for --help

    click.echo(msgspec.json.encode(value))


def safe(text: str) -> str:
    """What others wrote, fit for one line of a terminal: control characters are shown, not obeyed."""
    from horus_core.text import plain_name  # noqa: PLC0415 - not needed for --help

    return plain_name(text)


def colour(text: str, name: str, *, bold: bool = False, err: bool = False) -> str:
    """The text in a colour where it goes to a terminal whose user wants colours (https://no-color.org)."""
    stream = sys.stderr if err else sys.stdout
    if os.environ.get("NO_COLOR") or stream is None or not stream.isatty():
        return text
    return click.style(text, fg=name, bold=bold)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> list[str]:
    """Lines in columns under their headers; the columns named in `right` end flush. Made safe to show."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headers, *cells, strict=True)]
    flush = [header in right for header in headers]
    return [_line(row, widths, flush) for row in [list(headers), *cells]]


def _line(row: Sequence[str], widths: Sequence[int], flush: Sequence[bool]) -> str:
    padded = []
    for cell, width, end in zip(row, widths, flush, strict=True):
        blanks = " " * (width - _width(cell))
        padded.append(blanks + cell if end else cell + blanks)
    return _GAP.join(padded).rstrip()


def _width(text: str) -> int:
    """The columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


def echo_all(lines: Sequence[str]) -> None:
    """Write lines to stdout."""
    for line in lines:
        click.echo(line)
