"""What a call leaves behind, counted; and what there is to call."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

_BUFFER_SLOT = 1  # Py_bf_getbuffer, CPython's typeslots.h
_OF_PYTHON = {"__doc__", "__module__", "__weaklistoffset__", "__vectorcalloffset__", "__new__", "__buffer__"}


def public_calls(module) -> set[str]:
    """What of a C module runs code: `function`, `Type()`, `Type.method`, `Type.property`, `Type.__eq__`."""
    found = set()
    for name, value in vars(module).items():
        if isinstance(value, type):
            found.add(f"{name}()")
            found |= {f"{name}.{attribute}" for attribute in vars(value) if attribute not in _OF_PYTHON}
            if _exports_a_buffer(value):  # a method by name only from Python 3.12 on
                found.add(f"{name}.__buffer__")
        elif callable(value) and not name.startswith("__"):
            found.add(name)
    return found


def _exports_a_buffer(cls: type) -> bool:
    get_slot = ctypes.pythonapi.PyType_GetSlot
    get_slot.restype, get_slot.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_int)
    return bool(get_slot(cls, _BUFFER_SLOT))


class _MallInfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in [
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        ]
    ]


_mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
if _mallinfo is not None:
    _mallinfo.restype = _MallInfo


class Meter:
    """Counts what a process has, before and after many calls."""

    ATTEMPTS = 6
    """Growth counts when each of so many rounds shows it, ever longer ones: a cache fills once, a leak never ends."""
    MOST_BYTES = 12
    """Of malloc, for each call: it gives out nothing smaller than 24."""
    MOST = 0.5
    """Of everything else, for each call: what leaks does so once a call at least."""

    def __init__(self, watched: dict[str, object], namespace: str) -> None:
        self._watched = watched
        self._namespace = namespace

    def growth(self, call, times: int) -> dict[str, int]:
        """Run the call many times; by how much what grew has grown, empty when nothing leaks."""
        for _ in range(times):  # caches, free lists, tables that grow by leaps
            call()
        grown: dict[str, int] = {}
        for attempt in range(self.ATTEMPTS):
            count = times << attempt // 2
            before = self._figures()
            for _ in range(count):
                call()
            after = self._figures()
            grown = {name: after[name] - before[name] for name in after}
            grown = {name: by for name, by in grown.items() if by > count * self._most(name)}
            if not grown:
                break
        return grown

    def _most(self, name: str) -> float:
        return self.MOST_BYTES if name == "bytes of malloc" else self.MOST

    def _figures(self) -> dict[str, int]:
        gc.collect()
        figures = {f"references to {name}": sys.getrefcount(value) for name, value in self._watched.items()}
        figures["descriptors"] = sum(1 for _ in Path("/proc/self/fd").iterdir())
        maps = Path("/proc/self/maps").read_text()
        figures["mappings"] = maps.count("/dev/shm/") + maps.count("/memfd:")
        figures["files in /dev/shm"] = sum(
            path.name.startswith(self._namespace) for path in Path("/dev/shm").iterdir()
        )
        del maps
        if _mallinfo is not None:
            heap = _mallinfo()
            figures["bytes of malloc"] = heap.uordblks + heap.hblkhd
            del heap
        figures["blocks of Python's allocator"] = sys.getallocatedblocks()
        return figures


class Entries:
    """The calls that are measured, and which names of the module each of them exercises."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[tuple[str, ...], object, int]] = {}

    def call(self, *names: str, times: int = 200):
        """Register a function of the stage as the entry of these names."""

        def register(body):
            self.of[body.__name__] = (names, body, times)
            return body

        return register

    def names(self) -> set[str]:
        return {name for names, _, _ in self.of.values() for name in names}
