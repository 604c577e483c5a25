"""Functions that another process can import: by module and qualified name, or by their script's path."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError, NodeError
from horus_core.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable

MAIN = "__main__"

loading_main = False
"""Whether this is a worker that loads its parent's script: nothing may run then."""


class Reference(Frozen):
    """Where a function stands."""

    module: str
    qualname: str

    def find(self) -> Callable[..., Any]:
        """The function, imported in this process."""
        import importlib  # noqa: PLC0415 - `import horus` stays light

        found: Any = importlib.import_module(self.module)
        for part in self.qualname.split("."):
            found = getattr(found, part)
        function: Callable[..., Any] = found
        return function


def reference(what: str, function: Any) -> Reference:
    """Where it stands; raises ConfigError when nothing of that name there is this function."""
    module, qualname = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if isinstance(module, str) and isinstance(qualname, str) and "<" not in qualname:
        found: Any = sys.modules.get(module)
        for part in qualname.split("."):
            found = getattr(found, part, None)
        # A class method is bound anew whenever it is looked up; any other bound method is its object's own.
        same = found is function or (
            isinstance(getattr(function, "__self__", None), type) and found == function
        )
        if same and (module != MAIN or main_path() is not None):
            return Reference(module, qualname)
    # Not its repr: that of a method shows its object, which may be a node in the making.
    shown = f"{module}.{qualname}" if qualname else f"an object of type {type(function).__name__}"
    raise ConfigError(
        f"Bad {what}: expected a function of a module, which another process can import, as compute='process' asks "
        f"for, got {shown}. Define it with def at the top of a module or script, and keep state in the module."
    )


def main_path() -> str | None:
    """The script that runs as `__main__`, if it is a file."""
    path = getattr(sys.modules.get(MAIN), "__file__", None)
    return None if path is None else str(Path(path).absolute())


def load_main(path: str) -> None:
    """Load a parent's script as this process's `__main__`, without running what it keeps for scripts."""
    import importlib.util  # noqa: PLC0415 - as above

    global loading_main  # noqa: PLW0603 - the process's own
    spec = importlib.util.spec_from_file_location("__horus_main__", path)
    if spec is None or spec.loader is None:
        raise NodeError(f"Loading {path} failed: expected a Python script, got another file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MAIN] = sys.modules["__horus_main__"] = module
    loading_main = True
    try:
        spec.loader.exec_module(module)
    finally:
        loading_main = False


def refuse_while_loading() -> None:
    """Raise NodeError when a worker loads a script that would run its nodes once more."""
    if loading_main:
        raise NodeError(
            "Running a scheduler failed: expected a script whose functions a worker process can load, got one that "
            "runs when it is loaded. Put horus.run(...) below: if __name__ == '__main__':"
        )
