"""What the kills are counted in: by role and place, how often, and how long those who are left took to go on."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from bystanders import LIMIT_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bystanders import Bystanders


_TRIES = 3
_ONCE_SHARE = 0.002
"""Of the faults: so many delays may be above the limit without a stall seen, once each."""


class ClaimError(Exception):
    """A claim did not hold."""


class LateError(ClaimError):
    """Those who were left went on too late, and the bystanders do not say why."""


@dataclasses.dataclass
class _Place:
    kills: int = 0
    stops: int = 0
    worst_ns: int = 0


@dataclasses.dataclass
class Report:
    """Counts faults and judges delays."""

    bystanders: Bystanders
    places: dict[tuple[str, str], _Place] = dataclasses.field(default_factory=lambda: defaultdict(_Place))
    delays_ns: list[int] = dataclasses.field(default_factory=list)
    over: int = 0
    stalled: int = 0
    starved: int = 0
    late_once: int = 0

    @property
    def faults(self) -> int:
        """Kills and stops so far."""
        return len(self.delays_ns)

    def fault(
        self, role: str, place: str, *, stop: bool, struck_ns: int, end_ns: int, waited_ns: int = 0
    ) -> None:
        """Count a kill or stop after which those who are left had gone on at `end_ns`.

        Raises LateError for a delay above the limit, unless what is above it is time for which the whole machine
        stood still: the bystanders' stalls in that span are taken off. Where these do not suffice, the time is taken
        off for which one of those who were left stood ready and got no processor since the strike (`waited_ns`, of
        the one that waited longest). The two are counted apart.
        """
        where = self.places[role, place]
        where.stops += stop
        where.kills += not stop
        delay = end_ns - struck_ns
        where.worst_ns = max(where.worst_ns, delay)
        self.delays_ns.append(delay)
        if delay <= LIMIT_NS:
            return
        self.over += 1
        stall = self.bystanders.stall_ns(struck_ns, end_ns)
        if delay - stall <= LIMIT_NS:
            self.stalled += 1
        elif delay - waited_ns <= LIMIT_NS:
            self.starved += 1
        else:
            raise LateError(
                f"{role}, {'stopped' if stop else 'killed'} at {place}: those who were left went on after "
                f"{delay / 1e6:.1f} ms, expected {LIMIT_NS / 1e6:.0f} (the machine stood still for "
                f"{stall / 1e6:.1f} ms of it; one of them got no processor for {waited_ns / 1e6:.1f} ms)."
            )

    def insist(self, fault: Callable[[], object]) -> None:
        """Do a fault; where it made others late do the same again, for it may have been the machine.

        A fault that makes others late does so each time. What happens once is counted, and fails if it is not rare.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                fault()
            except LateError as late:
                progress(f"late, attempt {attempt}: {late}")
                self.late_once += attempt == 1
                if attempt == _TRIES:
                    raise
            else:
                return

    def judge(self) -> None:
        """Raise ClaimError when single delays were not rare."""
        if self.late_once > max(1, self.faults * _ONCE_SHARE):
            raise ClaimError(f"{self.late_once} of {self.faults} times those who were left went on too late")

    def table(self) -> str:
        """One line for each role and place."""
        rows = [f"{'role':14} {'struck at':44} {'kills':>6} {'stops':>6} {'max ms':>8}"]
        rows += [
            f"{role:14} {place:44} {at.kills:6} {at.stops:6} {at.worst_ns / 1e6:8.2f}"
            for (role, place), at in sorted(self.places.items())
        ]
        return "\n".join(rows)

    def summary(self, **more: Any) -> str:
        """One line of JSON."""
        ordered = sorted(self.delays_ns) or [0]
        at = {name: ordered[int(share * (len(ordered) - 1))] / 1e6 for name, share in
              (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0))}  # fmt: skip
        kills = sum(place.kills for place in self.places.values())
        return json.dumps(
            {
                "faults": self.faults,
                "kills": kills,
                "stops": self.faults - kills,
                **at,
                "above_100_ms": self.over,
                "above_100_ms_with_the_machine": self.stalled,
                "above_100_ms_without_a_processor": self.starved,
                "above_100_ms_once": self.late_once,
                **more,
            }
        )


def progress(text: str) -> None:
    """A line that is seen at once."""
    print(text, file=sys.stderr, flush=True)
