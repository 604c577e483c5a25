"""The warm process: it has imported HORUS, and each of its forks becomes a program. Started by its path.

A program runs from here, outermost, so that no other frame of ours is below its own.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]  # this file's folder, whose modules are nobody's to import by their short names

    from horus_plugins.launch.warm import server

    _program = server.serve()
    _code: object = None
    try:
        exec(_program.code, _program.names)  # noqa: S102 - it is what this process is for
    except SystemExit as _exit:
        _code = _exit.code
    except BaseException:
        sys.excepthook = _program.without_this_frame(sys.excepthook)
        raise
    _program.leaving.leave(_code)
    sys.exit(_code)  # type: ignore[arg-type]
