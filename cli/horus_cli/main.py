"""The `horus` command: from its start to its exit code.

Data goes to stdout, everything else to stderr.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from io import FileIO, TextIOWrapper
from typing import TextIO

from horus_cli.exit_codes import FAILED, INTERRUPTED, TIMEOUT

_OBJECTS = 100_000
"""So many objects more than before are worth a look for garbage: modules of the size of a command's are not."""


def main() -> None:
    """Entry point of the console script."""
    gc.set_threshold(_OBJECTS, 50, 10)
    _open_streams()
    try:
        code = _run()
        _flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # who read our stdout has gone, as in `horus topic list | head -1`
        code = FAILED
    except OSError as error:
        with suppress(OSError):
            os.write(2, f"horus: failed: {error}\n".encode())
        code = FAILED
    _forget_streams()
    sys.exit(code)


def _open_streams() -> None:
    """Have /dev/null in the place of standard streams that are closed.

    Else the next file that is opened, a topic's region for one, would be descriptor 1, and what somebody prints
    would go there.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            file = os.open(os.devnull, os.O_RDWR)  # the lowest descriptor that is free, which is the stream's
            os.set_inheritable(file, True)
            setattr(sys, name, open(file, "r" if name == "stdin" else "w", closefd=False))  # noqa: SIM115 - for good
    if isinstance(getattr(sys.stdout, "buffer", None), FileIO) or isinstance(
        getattr(sys.stderr, "buffer", None), FileIO
    ):
        from horus_cli import unbuffered  # noqa: PLC0415 - only where Python is told so

        unbuffered.write_whole("stdout")
        unbuffered.write_whole("stderr")


def _run() -> int:
    # Imported here, so that Ctrl+C is quiet from the first moment.
    import click  # noqa: PLC0415

    from horus_cli import debugging  # noqa: PLC0415
    from horus_cli.group import horus  # noqa: PLC0415
    from horus_cli.options import TimeIsUp  # noqa: PLC0415
    from horus_core.errors import HorusError, HorusTimeoutError  # noqa: PLC0415

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal of another encoding shows "?" for what it cannot show; it is no reason to fail.
            stream.reconfigure(errors="replace")
    gc.freeze()  # nothing but modules so far, which the interpreter need not search for garbage at its end
    try:
        return horus.main(standalone_mode=False, prog_name="horus") or 0
    except click.exceptions.Abort:
        return INTERRUPTED
    except TimeIsUp:
        click.echo(
            "horus: failed: the time of --timeout is up. Is a process stopped, or a lock held?", err=True
        )
        return TIMEOUT
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except HorusError as error:
        if debugging.show_tracebacks:
            import traceback  # noqa: PLC0415 - only for who asks

            traceback.print_exception(error)
        click.echo(f"horus: {error}", err=True)
        return TIMEOUT if isinstance(error, HorusTimeoutError) else FAILED


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _forget_streams() -> None:
    """Keep the interpreter from complaining, at its end, about streams that nobody reads any more."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not _flushes(stream):
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _flushes(stream: TextIO) -> bool:
    try:
        stream.flush()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
