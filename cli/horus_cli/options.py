"""Options that many commands have, and what they mean."""

from __future__ import annotations

import math
import os
import signal
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import ParamSpec, TypeVar

    Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])
    Arguments = ParamSpec("Arguments")
    Result = TypeVar("Result")


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


def until_interrupted(ctx: click.Context) -> None:
    """A bounded command goes on until it is interrupted, this time: only a `--timeout` that was given ends it."""
    if _LIMIT not in ctx.meta:
        signal.setitimer(signal.ITIMER_REAL, 0)


_LIMIT = "horus_cli.options.limit"


def _note_limit(ctx: click.Context, _parameter: click.Parameter, seconds: float | None) -> None:
    if seconds is not None:
        ctx.meta[_LIMIT] = seconds


def _time_is_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeIsUp


def chosen_namespace() -> str | None:
    """What `--namespace` says before or after the command; None where it is not given."""
    name: str | None = click.get_current_context().meta.get(_NAMESPACE)
    return name


def current_namespace() -> str:
    """The namespace the command is about. Raises RegionError when it is another user's."""
    from horus_core.shm import namespace  # noqa: PLC0415 - not needed for --help

    name = namespace.current()
    namespace.require_ours(name)
    return name


_NAMESPACE = "horus_cli.options.namespace"


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
