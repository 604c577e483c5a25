"""Figures of topics in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.text import plain_name
from horus_plugins.monitor import topic_meter
from horus_plugins.monitor.dates import span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from horus_plugins.monitor.topic_meter import Rate
    from horus_plugins.monitor.topic_window import Spread

_BARS = "▁▂▃▄▅▆▇█"
_THOUSAND = 1000


def hertz(rate_hz: float | None) -> str:
    """`99.98 Hz`, `102.4 kHz`; `-` where nothing is known."""
    return "-" if rate_hz is None else _scaled(rate_hz, ("Hz", "kHz", "MHz"))


def size(count: float | None) -> str:
    """`16 B`, `6.221 MB`: powers of 1000, as rates of networks and disks have them."""
    if count is None:
        return "-"
    return f"{count:.0f} B" if count < _THOUSAND else _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def milliseconds(value_ms: float) -> str:
    """`9.998 ms`, `12.5 us`, `1.2 s`."""
    if value_ms >= _THOUSAND:
        return f"{value_ms / _THOUSAND:.4g} s"
    return f"{value_ms:.4g} ms" if value_ms >= 1 else f"{value_ms * _THOUSAND:.4g} us"


def sparkline(values: Sequence[float]) -> str:
    """A bar for each value, the highest as high as a line; a blank where there was nothing."""
    most = max(values, default=0)
    return "".join(
        " " if value <= 0 else _BARS[min(len(_BARS) - 1, int(value / most * len(_BARS)))] for value in values
    )


def hz(report: Rate) -> Iterator[str]:
    """How often."""
    if report.messages:
        yield f"{hertz(report.rate_hz)}  {_counted(report)}  {_spread('interval', report.interval_ms)}{_bars(report)}"
        if len(report.publishers) > 1:
            parts = (f"{plain_name(one.node)} {hertz(one.rate_hz)}" for one in report.publishers)
            yield f"  of it: {', '.join(parts)}"
    yield from _trouble(report)


def bw(report: Rate) -> Iterator[str]:
    """How much."""
    if report.messages:
        said = _sizes(report.message_bytes)
        about = "about " if report.sampled and report.message_bytes and report.message_bytes.std else ""
        yield f"{about}{_per_second(report.bytes_per_s)}  {_counted(report)}  {said}{_bars(report)}"
    yield from _trouble(report)


def _scaled(value: float, units: Sequence[str]) -> str:
    for unit in units[:-1]:
        if value < _THOUSAND:
            return f"{value:.4g} {unit}"
        value /= _THOUSAND
    return f"{value:.4g} {units[-1]}"


def _counted(report: Rate) -> str:
    return f"{report.messages} message{'s' * (report.messages != 1)} in {report.window_s:.3g} s"


def _spread(what: str, spread: Spread | None) -> str:
    if spread is None:
        return f"{what} not seen"
    low, high, std = map(milliseconds, (spread.min, spread.max, spread.std))
    return f"{what} {milliseconds(spread.mean)} (min {low}, max {high}, std {std})"


def _per_second(value: float | None) -> str:
    return "-" if value is None else f"{size(value)}/s"


def _sizes(spread: Spread | None) -> str:
    if spread is None:
        return "size not seen"
    if spread.min == spread.max:
        return f"{size(spread.mean)} each"
    return (
        f"{size(spread.mean)} each (min {size(spread.min)}, max {size(spread.max)}, std {size(spread.std)})"
    )


def _bars(report: Rate) -> str:
    seen = 0 if report.message_bytes is None else report.message_bytes.seen
    sampled = f"  [{seen} of them looked at]" if report.sampled else ""
    bars = sparkline(report.history)
    return f"  {bars.lstrip()}{sampled}" if bars.strip() else sampled


def _trouble(report: Rate) -> Iterator[str]:
    if report.state == topic_meter.SILENT and report.silent_s is not None:
        nobody = "" if report.publishers else ", and no publisher lives"
        yield f"no messages for {span(report.silent_s)}{nobody}"
    elif report.state == topic_meter.EMPTY:
        before = "" if report.silent_s is None else f" (the last one was sent {span(report.silent_s)} ago)"
        yield f"no messages yet{before}{'' if report.publishers else ', and no publisher lives'}"
