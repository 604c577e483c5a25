"""The process of a session that was started in the background: a Job as JSON on stdin. Started by its path.

What it says and what its nodes say goes to stderr and stdout as long as somebody reads them.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this file's folder, whose modules are nobody's to import by their short names

import os

import msgspec


def main() -> int:
    """Run the job; the exit code."""
    from horus_core.errors import HorusError  # noqa: PLC0415 - after sys.path has been put right
    from horus_plugins.launch.session.background import Job  # noqa: PLC0415
    from horus_plugins.launch.session.running import run  # noqa: PLC0415

    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        return run(job.plan, job.settings)
    except HorusError as error:
        sys.stderr.write(f"horus: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
