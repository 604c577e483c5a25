"""Times and durations as people read them."""

from __future__ import annotations

from datetime import datetime

_NS = 1_000_000_000
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def iso(realtime_ns: int) -> str:
    """A time of the calendar as ISO 8601, to the microsecond, in the machine's time zone."""
    try:
        whole = datetime.fromtimestamp(realtime_ns // _NS).astimezone()
    except (ValueError, OverflowError, OSError):  # a record may say anything
        return "?"
    return whole.replace(microsecond=realtime_ns % _NS // 1000).isoformat(timespec="microseconds")


def seconds(realtime_ns: int) -> str:
    """The same to the second, as in tables."""
    return iso(realtime_ns).replace("T", " ")[:19]


def span(passed_s: float) -> str:
    """How long, in two units at most: `250 us`, `12.3 s`, `5m 32s`, `2d 3h`."""
    if passed_s < 1e-3:  # noqa: PLR2004 - units
        return f"{passed_s * 1e6:.3g} us"
    if passed_s < 1:
        return f"{passed_s * 1e3:.3g} ms"
    if passed_s < _MINUTE:
        return f"{passed_s:.3g} s"
    whole = int(passed_s)
    for unit, name, smaller, small in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "m"),
        (_MINUTE, "m", 1, "s"),
    ):
        if whole >= unit:
            return f"{whole // unit}{name} {whole % unit // smaller}{small}"
    return f"{whole} s"


def ago(passed_s: float) -> str:
    """How long ago."""
    return f"{span(max(0.0, passed_s))} ago"
