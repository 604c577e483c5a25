"""The process that looks into a package for `horus package`: whatever the package does at import, it does here.

`probe.py describe|check DISTRIBUTION:NODE OUT SECONDS [--param=NAME=VALUE ...]` writes a FunctionReport as JSON.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this file's folder, whose modules are nobody's to import by their short names

import os
from pathlib import Path

import msgspec


def main(line: list[str]) -> None:
    """Look, and write what was found; as far as it goes when that fails."""
    from horus_plugins.packages import looking  # noqa: PLC0415 - after sys.path has been put right
    from horus_plugins.packages.settings import settings  # noqa: PLC0415

    what, word, out, seconds, *options = line
    params = settings([option.removeprefix("--param=") for option in options])

    def write(report: object) -> None:
        draft = Path(out + ".draft")
        draft.write_bytes(msgspec.json.encode(report))
        draft.rename(out)

    looking.look(word, params, write, check_s=float(seconds) if what == "check" else None)


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # whatever threads the package has started: all is told
