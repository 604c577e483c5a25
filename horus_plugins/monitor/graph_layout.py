"""Where the boxes of a graph go: in layers from left to right, so that most arrows point to the right.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981):
cycles are cut, each vertex comes one layer after the last of those before it, an edge that passes layers gets a bend
in each, and the order within a layer follows the mean of the neighbours.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SWEEPS = 8


class Layers:
    """Vertices and bends in layers. Vertices are the first numbers, bends those that follow."""

    def __init__(self, vertices: int, edges: Sequence[tuple[int, int]]) -> None:
        """Lay out `vertices` vertices; an edge is a pair of their numbers."""
        self._after: list[list[int]] = [[] for _ in range(vertices)]
        for start, end in edges:
            self._after[start].append(end)
        back = self._back_edges(vertices)
        self._forward = [(end, start) if (start, end) in back else (start, end) for start, end in edges]
        self.layer = self._depths(vertices)
        self.paths = [self._path(number, edge, back) for number, edge in enumerate(edges)]
        """For each edge what it passes, from its start to its end."""
        self.layers = self._ordered()
        """What stands in each layer, from top to bottom."""

    def _back_edges(self, vertices: int) -> set[tuple[int, int]]:
        """Those that close a cycle, as a walk in depth finds them."""
        back: set[tuple[int, int]] = set()
        state = [0] * vertices  # 1: on the way, 2: done
        for root in range(vertices):
            if state[root]:
                continue
            state[root] = 1
            way = [(root, iter(self._after[root]))]
            while way:
                here, others = way[-1]
                other = next(others, None)
                if other is None:
                    state[here] = 2
                    way.pop()
                elif state[other] == 1:
                    back.add((here, other))
                elif not state[other]:
                    state[other] = 1
                    way.append((other, iter(self._after[other])))
        return back

    def _depths(self, vertices: int) -> list[int]:
        """How many vertices come before each, at most."""
        after: list[list[int]] = [[] for _ in range(vertices)]
        waiting = [0] * vertices
        for start, end in self._forward:
            after[start].append(end)
            waiting[end] += 1
        depth = [0] * vertices
        ready = [one for one in range(vertices) if not waiting[one]]
        while ready:
            here = ready.pop()
            for other in after[here]:
                depth[other] = max(depth[other], depth[here] + 1)
                waiting[other] -= 1
                if not waiting[other]:
                    ready.append(other)
        return depth

    def _path(self, number: int, edge: tuple[int, int], back: set[tuple[int, int]]) -> list[int]:
        start, end = self._forward[number]
        passed = [start]
        for layer in range(self.layer[start] + 1, self.layer[end]):
            passed.append(len(self.layer))
            self.layer.append(layer)
        passed.append(end)
        return passed[::-1] if edge in back else passed

    def _ordered(self) -> list[list[int]]:
        layers: list[list[int]] = [[] for _ in range(max(self.layer, default=-1) + 1)]
        for one, layer in enumerate(self.layer):
            layers[layer].append(one)
        beside: dict[int, list[int]] = {one: [] for one in range(len(self.layer))}
        for path in self.paths:
            for one, other in pairwise(path):
                beside[one].append(other)
                beside[other].append(one)
        place = {one: float(at) for layer in layers for at, one in enumerate(layer)}
        for sweep in range(_SWEEPS):
            step = 1 if sweep % 2 == 0 else -1
            for number in range(len(layers))[::step]:
                self._arrange(layers[number], beside, place, number - step)
        return layers

    def _arrange(
        self, layer: list[int], beside: dict[int, list[int]], place: dict[int, float], fixed: int
    ) -> None:
        """Order a layer by the mean place of the neighbours in the layer that is fixed."""

        def mean(one: int) -> float:
            places = [place[other] for other in beside[one] if self.layer[other] == fixed]
            return sum(places) / len(places) if places else place[one]

        layer.sort(key=mean)
        for at, one in enumerate(layer):
            place[one] = at - len(layer) / 2
