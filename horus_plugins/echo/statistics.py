"""What can be said of many numbers cheaply: least, greatest and mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 1 << 18
"""Of larger arrays every n-th element is looked at."""


def summary(array: NDArray[Any]) -> str:
    """`min 0, max 255, mean 127.5`; "" for what is empty or no numbers. Elements that are not finite are left out."""
    import numpy as np  # noqa: PLC0415 - numpy is loaded where arrays are used

    if array.size == 0 or array.dtype.kind not in "buif" or array.dtype.itemsize > 8:  # noqa: PLR2004 - not f16
        return ""
    flat = array.reshape(-1)
    step = -(-flat.size // _MOST)
    some = flat[::step]
    if some.dtype.kind == "f":
        finite = some[np.isfinite(some)]
        if finite.size == 0:
            return "no finite number"
        left_out = (
            f", {'at least ' if step > 1 else ''}{n} not finite" if (n := some.size - finite.size) else ""
        )
        some = finite
    else:
        left_out = ""
    sampled = f" of every {_ordinal(step)}" if step > 1 else ""
    least, most, mean = some.min(), some.max(), float(some.mean(dtype=np.float64))
    return f"min {short(least)}, max {short(most)}, mean {mean:.6g}{left_out}{sampled}"


def short(value: Any) -> str:
    """A number with the digits that its type has: 0.1 as f32 is 0.1."""
    if hasattr(value, "dtype"):
        kind = value.dtype.kind
        if kind == "b":
            return "true" if value else "false"
        return str(int(value)) if kind in "ui" else str(value)
    return str(value)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 // 10 != 1 else "th"
    return f"{number}{ending}"
