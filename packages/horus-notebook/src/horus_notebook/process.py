"""The process that runs a notebook: `process.py NOTEBOOK ARGUMENTS...`.

The cells run in a new `__main__`, on the main thread: signals, exit codes, threads and output are those of a script.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this file's folder, whose modules are nobody's to import by their short names

import asyncio
import inspect
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from horus import LaunchError
from horus_notebook import notebook

if TYPE_CHECKING:
    from types import CodeType, TracebackType


def main(line: list[str]) -> None:
    """Run the cells until they end; what they raise is raised."""
    sys.argv = line
    path = line[0]
    if not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, str(Path(path).absolute().parent))
    try:
        todo = [(cell.number, cell.compile()) for cell in notebook.cells(path)]
    except LaunchError as error:
        sys.exit(str(error))
    # No __file__: nobody can import a notebook, and HORUS and multiprocessing say so where that is wanted.
    module = sys.modules["__main__"] = ModuleType("__main__", None)
    names = vars(module)
    names["display"] = print
    _Cells(path, names).run(todo)


class _Cells:
    """Runs cells, and says which one has failed."""

    def __init__(self, path: str, names: dict[str, Any]) -> None:
        self._path = path
        self._names = names
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, todo: list[tuple[int, CodeType]]) -> None:
        sys.excepthook = self._explain
        try:
            for self._number, code in todo:
                if code.co_flags & inspect.CO_COROUTINE:
                    self._run_async(code)
                else:
                    exec(code, self._names)  # noqa: S102 - that is what it is for
        finally:
            if self._loop is not None:
                self._end(self._loop)

    def _run_async(self, code: CodeType) -> None:
        """Run a cell with an `await` of its own, in one loop for all: as in Jupyter, tasks go on in the next."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(eval(code, self._names))  # noqa: S307 - as above

    @staticmethod
    def _end(loop: asyncio.AbstractEventLoop) -> None:
        """As asyncio.run() ends one: what was left in it is cancelled."""
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True) if left else asyncio.sleep(0))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def _explain(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """As Python prints what nobody caught, from the cell on, and with the lines of cells."""
        told = traceback.TracebackException(kind, error, _from_cell(trace))
        sys.stderr.write("".join(told.format()))
        if isinstance(error, Exception):
            sys.stderr.write(f"{self._path}: cell In [{self._number}] failed.\n")


def _from_cell(trace: TracebackType | None) -> TracebackType | None:
    """What is left without the frames of this file and those below it."""
    here = trace
    while here is not None and " In[" not in here.tb_frame.f_code.co_filename:
        here = here.tb_next
    return here or trace


if __name__ == "__main__":
    main(sys.argv[1:])
