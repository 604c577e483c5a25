"""Ending a process without taking its interpreter apart, where nobody could tell the difference.

An interpreter that ends goes through all that was ever imported, which takes ten times as long as the end of the
process itself. What a program would miss of that is done here: threads, `atexit`, standard streams, and all that C
libraries do at an exit. Where anything of it is left that ends in a way of its own (an open file, a `__del__`, a
generator that waits, a module in C that we do not know), the interpreter ends as ever.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import io
import os
import sys
import threading
import weakref
from types import BuiltinFunctionType, FunctionType
from typing import Any

_LAST_CODE = 255
_NO_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC
_ASKS = ("PYTHONINSPECT", "PYTHONMALLOCSTATS", "PYTHONDUMPREFS", "PYTHONVERBOSE", "PYTHONDEVMODE")
"""Who sets one of these wants to see, or to do, something at the end of the interpreter."""
_OURS = ("horus", "horus_core", "horus_plugins", "horus_cli", "msgspec", "numpy")
_SOURCE = (".py", ".pyc")
_INERT = """
    _abc _ast _asyncio _bisect _blake2 _bz2 _codecs _collections _contextvars _csv _ctypes _datetime _decimal
    _elementtree _functools _hashlib _heapq _imp _io _json _locale _lsprof _lzma _md5 _multiprocessing _opcode
    _operator _pickle _posixshmem _posixsubprocess _queue _random _sha1 _sha2 _sha256 _sha3 _sha512 _signal _socket
    _sre _ssl _stat _statistics _string _struct _suggestions _symtable _sysconfig _thread _tokenize _tracemalloc
    _types _typing _uuid _warnings _weakref _zoneinfo array atexit audioop binascii builtins cmath errno faulthandler
    fcntl gc grp itertools marshal math mmap posix pwd pyexpat resource select sys termios time unicodedata zipimport
    zlib
    """
"""Modules in C of the standard library whose objects leave nothing undone when the process ends: no databases."""
_inert = frozenset(_INERT.split())
_CYTHON = ("cython_runtime", "_cython_")
"""What modules made by Cython share (numpy 1 has such): types only. The modules have names of their own."""
_HARMLESS = frozenset({io.BytesIO, io.StringIO})
_BOOKKEEPERS = ("weakref", "_weakrefset", "_py_abc", "logging", "threading")
"""Modules whose own callbacks of weak references only forget what has gone."""
_libc = ctypes.PyDLL(None)  # which keeps the GIL: no thread of Python's goes on during exit()


class _Since:
    """What is not found any more was hidden from us by gc.freeze(), with other things maybe."""


class Leaving:
    """How a process ends that was made before there was anything of its program."""

    def __init__(self) -> None:
        """To be made where all that is there is ours (and frozen), in the thread that will leave."""
        self._known = frozenset(sys.modules)
        self._pid = os.getpid()
        self._thread = threading.get_ident()
        self._since = _Since()

    def leave(self, code: object) -> None:
        """End the process with what sys.exit() takes; returns when the interpreter has to end it."""
        if code is None:
            code = 0
        if type(code) is not int or not 0 <= code <= _LAST_CODE or not self._is_plain():
            return
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing ends its processes
        atexit._run_exitfuncs()  # noqa: SLF001
        if self._leaves_nothing() and _flush():
            _libc.exit(code)  # with what C libraries have to do

    def _is_plain(self) -> bool:
        """Whether this is the process and thread that was meant, alone, and nobody watches how it ends."""
        return (
            self._pid == os.getpid()
            and self._thread == threading.get_ident()
            and all(thread.daemon or thread is threading.current_thread() for thread in threading.enumerate())
            and not (sys.flags.inspect or sys.flags.verbose or sys.flags.dev_mode)
            and not any(name in os.environ for name in _ASKS)
            and sys.stdout is sys.__stdout__
            and sys.stderr is sys.__stderr__
            and sys.gettrace() is None
            and sys.getprofile() is None
            and not gc.callbacks
            and not gc.get_debug()
            and all(_is_inert(name) for name in list(sys.modules) if name not in self._known)
        )

    def _leaves_nothing(self) -> bool:
        """Whether nothing that was made since has anything to do at its end; garbage has it done now."""
        if _is_empty(gc.get_objects()):
            return True
        gc.collect()
        return _is_empty(gc.get_objects())


def _is_inert(name: str) -> bool:
    """Whether a module is Python, or one in C that has nothing to do at the end."""
    if name in _inert or name.partition(".")[0] in _OURS or name.startswith(_CYTHON):
        return True
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return file.endswith(_SOURCE)
    return hasattr(module, "__path__") or name == "__main__"  # a package without a file of its own


def _is_empty(found: list[Any]) -> bool:
    kinds = set(map(type, found))
    if _Since not in kinds or any(kind not in _HARMLESS and _has_end(kind) for kind in kinds):
        return False
    classes = tuple(kind for kind in kinds if issubclass(kind, type))
    return not any(_has_hidden_instances(one) for one in found if type(one) in classes) and not any(
        _tells(one) for one in found if type(one) is weakref.ref
    )


def _has_end(kind: type) -> bool:
    """Whether its instances do something when they go: `__del__` is there for finalizers in C, too."""
    return any("__del__" in vars(base) for base in kind.__mro__)


def _has_hidden_instances(kind: type) -> bool:
    """Whether it has a `__del__` and instances that the garbage collector does not know."""
    return not kind.__flags__ & _NO_GC and _has_end(kind)


def _tells(reference: weakref.ref[Any]) -> bool:
    """Whether somebody of the program's is told of the end of what it refers to."""
    told = reference.__callback__
    if isinstance(told, BuiltinFunctionType):
        return (
            type(told.__self__) is not weakref.ref
        )  # the interpreter's own, of subclasses and thread's data
    return told is not None and not (isinstance(told, FunctionType) and told.__module__ in _BOOKKEEPERS)


def _flush() -> bool:
    """Write what the standard streams hold; False when one cannot, which the interpreter tells at its end."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except BaseException:  # noqa: BLE001 - whatever it is: the interpreter tries again, and tells
        return False
    return True
