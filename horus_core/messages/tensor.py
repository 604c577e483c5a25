"""Tensor: an array of up to eight dimensions in shared memory. Arithmetic is numpy's and torch's business."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from horus_core.messages.pooled import Pooled, as_array, bits, dtype_code, loaded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self


class Tensor(Pooled):
    """An array of `shape`, its elements not yet written: write them through `to_numpy()` or `to_torch()`.

    dtypes: float16 bfloat16 float32 float64, int8 to int64, uint8 to uint64, bool; also f16, i8, numpy's, torch's.

    Raises PoolExhaustedError when no block is free (the `from_...` use private memory then), ConfigError for a bad
    dtype, ValueError for a bad shape.
    """

    __slots__ = ()
    __topic__ = "tensor"
    _kind = 4

    def __init__(self, shape: int | Iterable[int], dtype: object = "float32") -> None:
        self._allocate(_shape(shape), dtype_code(dtype), 0, True)

    @classmethod
    def zeros(cls, shape: int | Iterable[int], dtype: object = "float32") -> Self:
        """A tensor of zeros."""
        made = cls(shape, dtype)
        made._fill(bytes(made.nbytes))
        return made

    @classmethod
    def from_numpy(cls, array: Any) -> Self:
        """A copy of an array."""
        array = as_array(array)
        made = cls._made(array.shape, dtype_code(array.dtype))
        if array.dtype.name == "bfloat16":
            made._fill(bits(array.copy(order="C")))
            return made
        return made._copy_in(array)

    @classmethod
    def from_torch(cls, tensor: Any) -> Self:
        """A copy of a torch tensor, of any device and layout."""
        made = cls._made(tuple(tensor.shape), dtype_code(tensor.dtype))
        made.to_torch().copy_(tensor.detach())
        return made

    @classmethod
    def from_dlpack(cls, source: Any) -> Self:
        """A copy of what another library exports through DLPack from the host's memory."""
        torch = loaded("torch")
        if torch is not None and isinstance(source, torch.Tensor):
            return cls.from_torch(source)
        import numpy as np  # noqa: PLC0415 - numpy is loaded where arrays are used

        return cls.from_numpy(np.from_dlpack(source))


def _shape(shape: int | Iterable[int]) -> tuple[int, ...]:
    if isinstance(shape, tuple):
        return shape
    try:
        return (operator.index(shape),)  # type: ignore[arg-type]
    except TypeError:
        return tuple(shape)  # type: ignore[arg-type]
