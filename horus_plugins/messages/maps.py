"""Maps of cells: what is occupied, and what it costs to go there. Row 0 is the one at the origin."""

# Without `from __future__ import annotations`: the annotations are the fields.
import math
from typing import TYPE_CHECKING

from horus_core.messages.fields import array, f64, field, i8, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks
from horus_plugins.messages.geometry import Pose2D

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

MAX_CELLS = 2800 * 2800
"""The most that a map holds: 140 m by 140 m at 5 cm."""
UNKNOWN = -1
OCCUPIED = 50
"""From this value on a cell counts as occupied; 0 to 49 as free."""
LETHAL = 253
"""What `CostMap.lethal_cost` stands for while it is 0."""


class OccupancyGrid(Message, topic="occupancy_grid"):
    """What is occupied: -1 unknown, 0 free to 100 occupied; up to 2800 by 2800 cells, of which those used travel."""

    width: u32 = field(default=0, doc="Cells in a row, along x.")
    height: u32 = field(default=0, doc="Rows, along y.")
    resolution: f64 = field(default=0.05, unit="m", doc="Edge of a cell.")
    origin: Pose2D = field(default=Pose2D(), doc="Corner of cell (0, 0), and the direction of its rows.")
    data: "NDArray[np.int8]" = array(
        i8, MAX_CELLS, bounded=True, doc="Row by row from the origin; empty means all unknown."
    )
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When the map was made; 0 is unset.")

    @classmethod
    def from_numpy(
        cls, cells: "NDArray[np.integer]", resolution: float = 0.05, origin: Pose2D | None = None
    ) -> "Self":
        """Make the map of an array of shape (height, width); `resolution` in m."""
        if cells.ndim != 2:  # noqa: PLR2004 - rows and columns
            raise ValueError(f"OccupancyGrid: expected cells of shape (height, width), got {cells.shape}.")
        height, width = cells.shape
        return cls(width, height, resolution, origin or Pose2D(), cells)  # type: ignore[arg-type] # checked

    def to_numpy(self) -> "NDArray[np.int8]":
        """Return the cells as a view of shape (height, width). Raises ValueError when they are not so many."""
        return self.data.reshape(self.height, self.width)

    def world_to_grid(self, x: float, y: float) -> tuple[int, int] | None:
        """Return (column, row) of the cell at a place in m; None outside of the map."""
        if not self.resolution > 0.0 or not checks.finite(x, y):
            return None
        dx, dy = x - self.origin.x, y - self.origin.y
        cos, sin = math.cos(self.origin.theta), math.sin(self.origin.theta)
        along, across = (cos * dx + sin * dy) / self.resolution, (cos * dy - sin * dx) / self.resolution
        inside = 0.0 <= along < self.width and 0.0 <= across < self.height
        return (int(along), int(across)) if inside else None

    def grid_to_world(self, column: int, row: int) -> tuple[float, float]:
        """Return the middle of a cell in m. Raises IndexError outside of the map."""
        self._index(column, row)
        along, across = (column + 0.5) * self.resolution, (row + 0.5) * self.resolution
        cos, sin = math.cos(self.origin.theta), math.sin(self.origin.theta)
        return self.origin.x + cos * along - sin * across, self.origin.y + sin * along + cos * across

    def value(self, column: int, row: int) -> int:
        """Return a cell: -1 unknown, 0 free to 100 occupied. Raises IndexError outside of the map."""
        index = self._index(column, row)
        data = self.data
        return int(data[index]) if index < len(data) else UNKNOWN

    def is_free(self, column: int, row: int) -> bool:
        """Whether a cell is known to be free. Raises IndexError outside of the map."""
        return 0 <= self.value(column, row) < OCCUPIED

    def is_occupied(self, column: int, row: int) -> bool:
        """Whether a cell is known to be occupied. Raises IndexError outside of the map."""
        return self.value(column, row) >= OCCUPIED

    def is_valid(self) -> bool:
        """Whether there is a value for each cell, or none, each from -1 to 100, and cells have a size."""
        data = self.data
        values = len(data) == 0 or (int(data.min()) >= UNKNOWN and int(data.max()) <= 100)  # noqa: PLR2004
        sized = checks.finite(self.resolution) and self.resolution > 0.0 and self.origin.is_valid()
        return values and sized and checks.cells(self, "data", self.height, self.width)

    def _index(self, column: int, row: int) -> int:
        if not (0 <= column < self.width and 0 <= row < self.height):
            raise IndexError(
                f"OccupancyGrid: expected a cell of {self.width} columns and {self.height} rows, "
                f"got ({column}, {row})."
            )
        return row * self.width + column


class CostMap(Message, topic="cost_map"):
    """What it costs to be in each cell of a map: 0 nothing, 253 and above is not passable."""

    grid: OccupancyGrid = field(default=OccupancyGrid(), doc="The map.")
    costs: "NDArray[np.uint8]" = array(
        u8, MAX_CELLS, bounded=True, doc="Of each cell of the map, row by row; may be empty."
    )
    inflation_radius: f64 = field(default=0.55, unit="m", doc="How far around obstacles there are costs.")
    cost_scaling_factor: f64 = field(
        default=0.0, unit="1/m", doc="How fast costs fall with the distance; 0 is unset."
    )
    lethal_cost: u8 = field(default=0, doc="From this cost on a cell is not passable; 0 stands for 253.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was made; 0 is unset.")

    def cost(self, column: int, row: int) -> int:
        """Return a cell's cost; 0 where there are none. Raises IndexError outside of the map."""
        index = self.grid._index(column, row)  # noqa: SLF001 - the map is a part of this message
        costs = self.costs
        return int(costs[index]) if index < len(costs) else 0

    def is_lethal(self, column: int, row: int) -> bool:
        """Whether a cell is not passable. Raises IndexError outside of the map."""
        return self.cost(column, row) >= (self.lethal_cost or LETHAL)

    def to_numpy(self) -> "NDArray[np.uint8]":
        """Return the costs as a view of shape (height, width). Raises ValueError when they are not so many."""
        return self.costs.reshape(self.grid.height, self.grid.width)

    def is_valid(self) -> bool:
        """Whether the map is, there is a cost for each cell, or none, and the figures are not negative."""
        figures = (self.inflation_radius, self.cost_scaling_factor)
        fits = checks.cells(self, "costs", self.grid.height, self.grid.width)
        return self.grid.is_valid() and fits and checks.finite(*figures) and min(figures) >= 0.0


TYPES: tuple[type[Message], ...] = (OccupancyGrid, CostMap)
