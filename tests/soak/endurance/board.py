"""A page of numbers in a mapped file: the supervisor's word to all processes, and their figures while they run."""

from __future__ import annotations

import mmap
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS = 16


class Phase(IntEnum):
    """What processes are to do."""

    RUN = 0
    QUIET = 1
    """Publishers send no more."""
    FINISH = 2
    """Subscribers receive what is left, write their last accounts and end."""


class Column(IntEnum):
    """Figures of a process; counts go on over its restarts."""

    LIFE = 0
    """Which of its lives runs, from 1."""
    BEAT = 1
    """CLOCK_MONOTONIC in ns of the last step."""
    PHASE = 2
    """The last phase that it saw."""
    SENT = 3
    REFUSED = 4
    DELIVERED = 5
    MISSED = 6
    SKIPPED = 7
    CHILDREN = 8


class Board:
    """Row 0 is the supervisor's, row i that of process i."""

    def __init__(self, path: Path, processes: int, *, create: bool = False) -> None:
        size = (1 + processes) * _COLUMNS * 8
        if create:
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self.rows = np.frombuffer(self._map, np.int64).reshape(1 + processes, _COLUMNS)

    @property
    def phase(self) -> Phase:
        """What all are to do now."""
        return Phase(int(self.rows[0, 0]))

    @phase.setter
    def phase(self, value: Phase) -> None:
        self.rows[0, 0] = value

    def total(self, column: Column) -> int:
        """The sum of a figure over all processes."""
        return int(self.rows[1:, column].sum())
