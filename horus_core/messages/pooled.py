"""What Image, DepthImage, PointCloud and Tensor share: a payload in shared memory, seen without copies.

The payload lies in a block of this process's pool; a descriptor of 136 bytes crosses the topic. The object itself
exports the memory, so every view (numpy, memoryview, torch) keeps it, and with it the block, alive.

After `send` the object is read-only, for others read the same memory: its buffer, and arrays that `to_numpy()`
returned before (their own slices cannot be followed). It may be sent again, on other topics too. `copy()` gives a
writable one. A received object is read-only, and forwarding it sends the same block; once this process lets go of
it, its writer may use the block again, and slow readers of the forwarded message count it as missed. Copy it if
that matters.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

DTYPE_CODES = {name: code for code, name in enumerate(_native.DTYPES)}
# numpy's one-letter types: dtype.name is worked out in Python at every use, and takes a microsecond.
_CHARS = {
    char: DTYPE_CODES[name]
    for char, name in zip(
        "BbHhIiLlefd?",
        (
            "uint8",
            "int8",
            "uint16",
            "int16",
            "uint32",
            "int32",
            "uint64",
            "int64",
            "float16",
            "float32",
            "float64",
            "bool",
        ),
        strict=True,
    )
}
_SIZES = [max(1, int(name.lstrip("abcdefghijklmnopqrstuvwxyz") or 8) // 8) for name in _native.DTYPES]
_PYTHON = {bool: "bool", float: "float64", int: "int64"}
_SLOW = (list, tuple, set, dict, str, int, float)
_SHORT = {"b": "bool", "bf": "bfloat", "f": "float", "i": "int", "u": "uint"}


def dtype_code(dtype: object) -> int:
    """The code of an element type: "float32" or "f32", a numpy or torch dtype, or Python's float, int or bool.

    Raises ConfigError for any other.
    """
    name = dtype if isinstance(dtype, str) else _dtype_name(dtype)
    name = name.removeprefix("torch.")
    code = DTYPE_CODES.get(name)
    if code is None:
        kind = name.rstrip("0123456789")
        code = DTYPE_CODES.get(_SHORT.get(kind, "") + name[len(kind) :])
    if code is None:
        raise ConfigError(f"Bad dtype: expected one of {', '.join(_native.DTYPES)}, got {name!r}.")
    return code


def array_code(array: NDArray[Any]) -> int | None:
    """The code of an array's elements, whatever their byte order; None where there is none."""
    code = _CHARS.get(array.dtype.char)
    return DTYPE_CODES.get(array.dtype.name) if code is None else code


def _dtype_name(dtype: object) -> str:
    if isinstance(dtype, type):  # Python's, or numpy.float32
        return _PYTHON.get(dtype, dtype.__name__.rstrip("_"))
    return str(getattr(dtype, "name", None) or dtype)


def as_array(source: object) -> NDArray[Any]:
    """A numpy array of the source's memory.

    Raises TypeError for what would have to be converted element by element.
    """
    import numpy as np  # noqa: PLC0415 - numpy is loaded where arrays are used

    if isinstance(source, np.ndarray):
        return source
    if not isinstance(source, np.generic) and (isinstance(source, _SLOW) or source is None):
        raise TypeError(
            f"Bad array: expected a numpy array or an object with a buffer, got {type(source).__name__}. "
            "Convert it with numpy.asarray(...) first: that is slow, so it is not done unseen."
        )
    return np.asarray(source)


class Pooled(_native.PooledBase):
    """A message whose payload lies in shared memory."""

    __slots__ = ()
    _kind = 0

    @classmethod
    def _made(cls, shape: tuple[int, ...], dtype: int, encoding: int = 0) -> Self:
        """A new object; in private memory where no block is free, so that hoarders cannot stop their source."""
        made = cls.__new__(cls)
        made._allocate(shape, dtype, encoding, False)
        return made

    def _copy_in(self, array: NDArray[Any]) -> Self:
        """Fill the payload: one plain copy where the array's memory lies as ours does."""
        if array.flags.c_contiguous and array.dtype.isnative:
            self._fill(array)
        else:
            import numpy as np  # noqa: PLC0415

            np.copyto(self.to_numpy(), array)
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = self.to_numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(
                    f"Converting {self.dtype} to {dtype} needs a copy, and copy=False was given."
                )
            return array.astype(dtype)
        return array.copy() if copy else array

    def to_torch(self) -> Any:
        """A torch tensor on the payload itself.

        torch knows no read-only tensors: do not write to one of a message that was sent or received.
        """
        import torch  # noqa: PLC0415 - not a dependency

        return torch.utils.dlpack.from_dlpack(self.__dlpack__(_unflagged=True))

    def to_dict(self) -> dict[str, Any]:
        """What the payload is, without the payload."""
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "frame_id": self.frame_id,
            "timestamp_ns": self.timestamp_ns,
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pooled) or type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict() and self.tobytes() == other.tobytes()

    __hash__ = None  # type: ignore[assignment]  # mutable, compared by value

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        codes = (DTYPE_CODES[self.dtype], ENCODING_CODES.get(self._encoding, 0))
        return _unpickle, (type(self), self.shape, *codes, self.tobytes(), self.frame_id, self.timestamp_ns)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def __repr__(self) -> str:
        fields = ", ".join(
            f"{name}={value!r}" for name, value in self.to_dict().items() if value not in ("", 0)
        )
        return f"{type(self).__name__}({fields})"


ENCODING_CODES = {name: code for code, (name, _, _) in enumerate(_native.ENCODINGS) if name}


def _unpickle(
    cls: type[Pooled],
    shape: tuple[int, ...],
    dtype: int,
    encoding: int,
    data: bytes,
    frame_id: str,
    stamp: int,
) -> Pooled:
    made = cls._made(shape, dtype, encoding)
    made._fill(data)
    made.frame_id = frame_id
    made.timestamp_ns = stamp
    return made


def restored(
    cls: type[Pooled],
    shape: tuple[int, ...],
    dtype: int,
    encoding: int,
    data: bytes,
    frame_id: str,
    stamp: int,
) -> Pooled | None:
    """A message with that payload, of the codes of elements and encoding; None when their bytes do not fit."""
    if math.prod(shape) * _SIZES[dtype] != len(data):
        return None
    return _unpickle(cls, shape, dtype, encoding, data, frame_id, stamp)


def bits(array: NDArray[np.generic]) -> NDArray[Any]:
    """The array, or its bits as uint16 where it is of ml_dtypes' bfloat16, which exports no buffer."""
    return array.view("uint16") if array.dtype.name == "bfloat16" else array


def loaded(module: str) -> Any:
    """The module if it is loaded: its objects cannot be met otherwise."""
    return sys.modules.get(module)
