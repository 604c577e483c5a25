"""Dict topics: any value that MessagePack can carry, and numpy arrays, to bytes and back.

On the wire is plain MessagePack. numpy arrays and scalars are extensions of the codes below; their data is a
MessagePack array [dtype, [shape]], preceded by its length as u16 (little endian) and followed by the elements
in C order. Large arrays are not copied by the encoder: it leaves a token in their place, and the array's own
bytes are copied once, to where the message goes.
"""

from __future__ import annotations

import ast
import itertools
import os
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np

    Buffer = bytes | memoryview

ARRAY_CODE = 78
SCALAR_CODE = 110
APART_ABOVE = 4096
"""Arrays of more bytes are copied once, by the sender of the message, not by the encoder."""

_PLAIN: tuple[type[Any], ...] = (str, int, float, bytes)
_EXT_MAX = 2**32 - 1
_TOKEN_MARK = os.urandom(8)
_TOKEN_LENGTH = 16
_TOKEN_EXT = b"\xd8" + bytes([ARRAY_CODE]) + _TOKEN_MARK  # fixext 16: what the encoder writes for a token

_counter = itertools.count()

apart: dict[bytes, tuple[int, bytes, memoryview]] = {}
"""Arrays put aside by encodings under way: token -> (thread, head, elements). Empty but for those."""


def _encode_unknown(value: Any) -> Any:
    np = sys.modules.get("numpy")
    if np is not None:
        if isinstance(value, np.ndarray):
            return _encode_array(value)
        if isinstance(value, np.generic):
            return msgspec.msgpack.Ext(SCALAR_CODE, _head(value.dtype, ()) + value.tobytes())
    for plain in _PLAIN:
        if isinstance(value, plain):  # a subclass: the encoder takes the exact types only
            return plain(value)
    raise TypeError(f"got {type(value).__module__}.{type(value).__qualname__}")


def _encode_array(array: np.ndarray[Any, Any]) -> msgspec.msgpack.Ext:
    if array.dtype.hasobject:
        raise TypeError("got a numpy array of Python objects")
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(array, masked.MaskedArray):
        raise TypeError("got a masked numpy array, whose mask would be lost")
    head = _head(array.dtype, array.shape)
    if array.nbytes <= APART_ABOVE:
        return msgspec.msgpack.Ext(ARRAY_CODE, head + array.tobytes())
    if array.nbytes + len(head) > _EXT_MAX:
        raise TypeError(f"got a numpy array of {array.nbytes} bytes, MessagePack carries 4 GiB")
    token = _TOKEN_MARK + struct.pack("<Q", next(_counter))
    elements = _contiguous(array).reshape(-1).view("u1").data
    apart[token] = (threading.get_ident(), head, elements)
    return msgspec.msgpack.Ext(ARRAY_CODE, token)


def _contiguous(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np  # noqa: PLC0415 - loaded already: the caller has an array

    return np.ascontiguousarray(array)


def _head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    name = dtype.str if dtype.fields is None else repr(dtype.descr)
    packed = _plain_encode((name, shape))
    return struct.pack("<H", len(packed)) + packed


def _decode_extension(code: int, data: memoryview) -> Any:
    if code not in (ARRAY_CODE, SCALAR_CODE):
        return msgspec.msgpack.Ext(code, bytes(data))
    import numpy as np  # noqa: PLC0415 - only for messages that hold arrays

    (length,) = struct.unpack_from("<H", data)
    name, shape = _plain_decode(data[2 : 2 + length])
    dtype = _structured(_literal(name)) if name.startswith("[") else np.dtype(name)
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    elements = data[2 + length :]
    if code == SCALAR_CODE and dtype.kind == "S":
        return np.bytes_(bytes(elements))  # an array's element would lose the zeros at its end
    if dtype.itemsize == 0:
        return np.ndarray(shape, dtype)
    # A copy: the message's bytes are the transport's, and given back after decoding.
    array = np.frombuffer(elements, dtype).reshape(shape).copy()
    return array if code == ARRAY_CODE else array[()]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except MemoryError:  # what Python says of an expression that is nested too deeply
        raise ValueError("a dtype that is nested too deeply") from None


def _structured(description: Any) -> np.dtype[Any]:
    """The dtype whose `descr` this is. numpy lists gaps as fields without a name, which it would number."""
    import numpy as np  # noqa: PLC0415 - loaded already

    said: dict[str, Any] = {"names": [], "formats": [], "offsets": [], "titles": []}
    at = 0
    for field, of, *shape in description:
        element: Any = _structured(of) if isinstance(of, list) else np.dtype(of)
        dtype: Any = np.dtype((element, *shape)) if shape else element
        title, name = field if isinstance(field, tuple) else (None, field)
        if name:
            for key, value in zip(said, (name, dtype, at, title), strict=True):
                said[key].append(value)
        at += dtype.itemsize
    made: np.dtype[Any] = np.dtype(said | {"itemsize": at})  # type: ignore[call-overload]
    return made


_plain_encode = msgspec.msgpack.Encoder().encode
_plain_decode = msgspec.msgpack.Decoder().decode
encode = msgspec.msgpack.Encoder(enc_hook=_encode_unknown).encode
decode = msgspec.msgpack.Decoder(ext_hook=_decode_extension).decode


def parts(encoded: bytes) -> bytes | list[Buffer]:
    """The message with the arrays that were put aside in their places; `encoded` itself if none was."""
    found: list[Buffer] = []
    done = 0
    while (at := encoded.find(_TOKEN_EXT, done)) >= 0:
        end = at + 2 + _TOKEN_LENGTH
        entry = apart.pop(encoded[at + 2 : end], None)
        if entry is None:
            break  # bytes of the user's own that begin like a token: as good as impossible
        _, head, elements = entry
        size = struct.pack(">BIB", 0xC9, len(head) + len(elements), ARRAY_CODE)  # ext 32
        found += [memoryview(encoded)[done:at], size, head, elements]
        done = end
    if not found:
        return encoded
    return [*found, memoryview(encoded)[done:]]


def forget_apart() -> None:
    """Drop what a failed encoding of this thread put aside."""
    me = threading.get_ident()
    for token in [token for token, (thread, _, _) in apart.items() if thread == me]:
        del apart[token]
