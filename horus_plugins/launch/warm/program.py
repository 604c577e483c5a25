"""A fork of the warm process becomes a program: all that a new interpreter would find is as it would find it."""

from __future__ import annotations

import builtins
import os
import select
import sys
import time
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from horus_plugins.launch import system
from horus_plugins.launch.leaving import Leaving
from horus_plugins.launch.warm import title, wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_POLL_S = 0.0002


class Program:
    """A script, compiled, and the names of its `__main__`."""

    def __init__(self, code: CodeType, names: dict[str, Any], leaving: Leaving) -> None:
        self.code = code
        self.names = names
        self.leaving = leaving

    @staticmethod
    def without_this_frame(
        hook: Callable[[type[BaseException], BaseException, TracebackType | None], Any],
    ) -> Callable[[type[BaseException], BaseException, TracebackType | None], Any]:
        """The hook, to be called for what went through the outermost frame, which is ours."""

        def shown(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            sys.excepthook = hook
            rest = trace.tb_next if trace is not None else None
            hook(kind, error.with_traceback(rest), rest)

        return shown


def prepare(request: wire.Request, descriptors: wire.Descriptors, launcher: int) -> Program:
    """Become the process that the request describes, up to its first line. Raises, or ends, when that fails."""
    _await_adoption(descriptors.line, launcher)
    os.setsid()
    system.die_with(launcher)
    _rewire(descriptors)
    os.chdir(request.cwd)
    _set_environment(request.environment)
    script = request.command[1]
    path = script if script.startswith("/") else f"{Path.cwd()}/{script}"  # its dots stay, as Python has it
    code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    sys.orig_argv[:] = request.command
    sys.argv[:] = request.command[1:]
    if not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, str(Path(path).resolve().parent))
    with suppress(OSError):  # it looks otherwise in `ps`, no more
        title.set_title(request.command)
        title.set_name(Path(request.command[0]).name)
    module = _main(path)
    leaving = Leaving()
    os.write(descriptors.line, wire.PID.pack(os.getpid()))
    if os.read(descriptors.line, 1) != wire.GO:  # the launcher gave it up, or is gone
        os._exit(1)
    os.close(descriptors.line)
    return Program(code, vars(module), leaving)


def _await_adoption(line: int, launcher: int) -> None:
    """Wait until the launcher is the parent; end when it is gone."""
    poll = select.poll()
    poll.register(line, select.POLLIN)
    while os.getppid() != launcher:
        if poll.poll(0):
            os._exit(1)
        time.sleep(_POLL_S)


def _rewire(descriptors: wire.Descriptors) -> None:
    """Output to where it belongs. What a library holds open stays, at its number: libffi maps its own file anew."""
    os.dup2(descriptors.out, 1)
    os.dup2(descriptors.err, 2)
    os.close(descriptors.out)
    os.close(descriptors.err)
    os.set_inheritable(descriptors.line, False)


def _set_environment(wanted: dict[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _main(path: str) -> ModuleType:
    """A `__main__` as an interpreter has it before the first line of a script."""
    before = vars(sys.modules["__main__"])
    module = ModuleType("__main__")
    names = vars(module)
    names |= {"__file__": path, "__builtins__": builtins, "__loader__": SourceFileLoader("__main__", path)}
    names |= {
        name: value for name, value in (("__cached__", None), ("__annotations__", {})) if name in before
    }
    sys.modules["__main__"] = module
    return module
