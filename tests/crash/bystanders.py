"""The control measurement of the kills: was the whole machine late, or those who should have gone on?

Two processes that have nothing to do with HORUS send each other a byte every millisecond and note when that took
more than five (horus_core/native/tests/kill_steps.c).
"""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT_NS = 100_000_000
"""Within this those who are left go on: what the project promises."""


def waited_ns(pids: Iterable[int]) -> dict[int, int]:
    """For how long each of these processes stood ready and got no processor; none where that is not counted."""
    waited = {}
    for pid in pids:
        with suppress(OSError):
            waited[pid] = int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1])
    return waited


class Waits:
    """How long processes got no processor from a strike on, whose moment is known only after it."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = tuple(pids)
        self._before = self._seen = waited_ns(self._pids)
        self._seen_ns = 0

    def struck(self) -> None:
        """The strike is over, for as long as it took to hear of it."""
        self._seen = waited_ns(self._pids)
        self._seen_ns = time.monotonic_ns()

    def longest_ns(self, struck_ns: int) -> int:
        """Until now, of that process which waited longest: processes wait side by side, and sums would excuse all.

        What passed until the strike was heard of counts at most as long as that took.
        """
        now = waited_ns(self._pids)
        heard_ns = max(0, self._seen_ns - struck_ns)
        return max(
            (
                min(self._seen[pid] - self._before.get(pid, 0), heard_ns) + now[pid] - self._seen[pid]
                for pid in now
                if pid in self._seen
            ),
            default=0,
        )


_KEPT = 1024
_HEAD = struct.Struct("QQ")
_SIZE = _HEAD.size * (1 + _KEPT)


class Bystanders:
    """Runs the pair; tells how long it stood still at most in a span of time."""

    def __init__(self, program: Path) -> None:
        file, name = tempfile.mkstemp(prefix="bystanders")
        self._process = subprocess.Popen([program, "bystanders", name], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        self._memory = mmap.mmap(file, _SIZE)
        os.close(file)
        Path(name).unlink()

    def stall_ns(self, start_ns: int, end_ns: int) -> int:
        """For how much of the span the pair stood still."""
        while self._process.poll() is None:
            beat, count = _HEAD.unpack_from(self._memory, 0)
            if beat > end_ns:
                break
            time.sleep(0.001)
        stalls = (_HEAD.unpack_from(self._memory, _HEAD.size * (1 + i)) for i in range(min(count, _KEPT)))
        return sum(max(0, min(end, end_ns) - max(begin, start_ns)) for begin, end in stalls)

    def close(self) -> None:
        """End the pair."""
        self._process.kill()
        self._process.communicate()
        self._memory.close()
