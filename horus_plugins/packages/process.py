"""The process that runs packaged nodes: `process.py DISTRIBUTION:NODE... [--rate=HZ ...] -- ARGUMENTS`.

Started by its path, not with -m, which would put the folder in which somebody happens to stand before all that is
installed.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this file's folder, whose modules are nobody's to import by their short names

import argparse
import gc
import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from horus_plugins.packages.settings import Settings


def main(line: list[str]) -> int:
    """Run the nodes until they end; the exit code."""
    cut = line.index("--") if "--" in line else len(line)
    words, settings = _parse(line[:cut])
    distribution, _, name = words[0].partition(":")
    sys.argv = [name if len(words) == 1 else distribution, *line[cut + 1 :]]
    gc.disable()
    from horus_core.errors import HorusError  # noqa: PLC0415 - imports what the arguments do not need
    from horus_core.scheduler.scheduler import VARIABLE as SCHEDULER  # noqa: PLC0415
    from horus_core.scheduler.scheduler import Scheduler  # noqa: PLC0415
    from horus_plugins.packages.loading import nodes_of  # noqa: PLC0415

    gc.freeze()  # nothing but modules so far, which live as long as the process: nobody searches them for garbage
    gc.enable()

    try:
        # Whoever launches it may call the scheduler otherwise than its node.
        scheduler = Scheduler(name=None if os.environ.get(SCHEDULER) else settings.name)
        for node in nodes_of(words, settings):
            scheduler.add(node)
    except HorusError as error:
        _explain(error)
        return 1
    except KeyboardInterrupt:  # before there is a scheduler that would see to it
        return 130
    scheduler.run()
    return 0


def _parse(line: list[str]) -> tuple[list[str], Settings]:
    from horus_plugins.packages.settings import settings  # noqa: PLC0415

    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("words", nargs="+")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--name")
    parser.add_argument("--param", action="append", default=[])
    parser.add_argument("--topic", action="append", default=[])
    told = parser.parse_args(line)
    return told.words, settings(told.param, told.rate, told.topic, told.name)


def _explain(error: BaseException) -> None:
    """The package's own part of the traceback, if it has one, and the sentence."""
    cause = error.__cause__ or error
    theirs = _theirs(cause.__traceback__)
    if theirs is not None or isinstance(cause, SyntaxError):
        traceback.print_exception(type(cause), cause, theirs)
    sys.stderr.write(f"horus: {error}\n")


def _theirs(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that is not HORUS's own loading; None when nothing is left."""
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_ours(file: str) -> bool:
    import horus_core  # noqa: PLC0415 - only for an error's text

    homes = (Path(__file__).parents[1], Path(horus_core.__file__).parent)
    importing = file.startswith("<frozen importlib") or file.endswith("importlib/__init__.py")
    return importing or any(Path(file).is_relative_to(home) for home in homes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
