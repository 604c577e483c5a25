"""The process of a launcher's observers: calls the hooks that it reads on stdin, to the end. Started by its path.

It ends as soon as no plugin has a function, or may yet have one, that is called for processes.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this file's folder, whose modules are nobody's to import by their short names

import os
import signal

NAME = "horus-observers"
_PATIENCE_S = 10.0
"""How long plugins may take to be imported and be told all: nobody waits for this process meanwhile."""


def main() -> int:
    """Tell the observers; the exit code."""
    from horus_core.errors import HorusError  # noqa: PLC0415 - after sys.path has been put right
    from horus_core.plugins import lifecycle  # noqa: PLC0415
    from horus_plugins.launch import system  # noqa: PLC0415
    from horus_plugins.launch.observing import wire  # noqa: PLC0415

    system.set_name(NAME)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # what a plugin reads are not our events
    os.close(null)
    try:
        lifecycle.load_plugins(_PATIENCE_S)
    except HorusError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with os.fdopen(events, "rb") as lines:
        while lifecycle.may_listen(lifecycle.OF_PROCESSES) and (line := lines.readline()):
            event = wire.decode(line)
            lifecycle.tell(event.hook, **event.arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
