"""What `horus run` asks for files that end in .ipynb."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import horus
from horus_core.abc import Runner
from horus_notebook import magics, notebook
from horus_plugins.runners.python import interpreter

if TYPE_CHECKING:
    from collections.abc import Callable

HORUS_PLUGIN_API = 1
_PROCESS = Path(__file__).with_name("process.py")


class NotebookRunner(Runner):
    """Runs the code cells of a notebook, in order, as the `__main__` of a process."""

    name = "ipynb"
    language = "notebook"

    def build(self, target: str) -> None:
        """Compile all cells, so that a syntax error shows before anything has started. Nothing is written."""
        for cell in notebook.cells(target):
            magic = magics.first(cell.source)
            if magic is not None:
                line, text = magic
                raise horus.LaunchError(
                    f"Running {target} failed: expected Python, got {text!r}, which only IPython knows "
                    f"(cell In [{cell.number}], line {line}). Write it in Python, or give the cell the tag "
                    f"{notebook.SKIP!r}."
                )
            try:
                cell.compile()
            except (SyntaxError, ValueError) as error:
                said = "".join(traceback.format_exception_only(error)).rstrip()
                raise horus.LaunchError(f"Compiling {target} failed; nothing was started.\n{said}") from None

    def command(self, target: str) -> list[str]:
        """The interpreter that runs HORUS runs the notebook, too."""
        return [interpreter(target), str(_PROCESS), target]


@horus.hookimpl
def horus_register_runners(register: Callable[[Runner], None]) -> None:
    """Supply it."""
    register(NotebookRunner())
