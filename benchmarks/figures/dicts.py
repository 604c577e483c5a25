"""Dict topics: small dicts beside msgspec alone, a dict with an array beside numpy's copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import stats
from benchmarks.lab import asking
from benchmarks.row import Row

if TYPE_CHECKING:
    from benchmarks.lab import Lab

SIZES = {"small": "a dict of 2 keys", "status": "a dict of 20 keys"}


def small(lab: Lab) -> list[Row]:
    """A dict, send + recv in one thread, beside the codec alone and a typed pair of the same process."""
    ours = lab.program("horus", "ours_topics", core=lab.cores[0])
    plain = lab.program("plain", "plain", core=lab.cores[0])
    theirs = lab.program("horus-robotics", "robotics", core=lab.cores[0])
    samples = {"count": lab.count(500), "burst": 50}
    contestants = {"typed": asking(ours, "pair", **samples)}
    for name in SIZES:
        contestants[f"HORUS {name}"] = asking(ours, "dict_pair", name=name, **samples)
        contestants[f"msgspec {name}"] = asking(plain, "codec", name=name, **samples)
        contestants[f"horus-robotics {name}"] = asking(theirs, "dict_pair", name=name, **samples)
    series = lab.interleave(contestants)
    rows = []
    for name, title in SIZES.items():
        floor = stats.add("msgspec + typed pair", series[f"msgspec {name}"], series["typed"])
        peers = [series[f"msgspec {name}"], series[f"horus-robotics {name}"]]
        mine = series[f"HORUS {name}"]
        rows.append(
            Row(f"{title}, send + recv, one thread", "1.4 x", "ns", mine, lambda ns: 1.4 * ns, floor, peers)
        )
    return rows


def with_array(lab: Lab) -> list[Row]:
    """A dict that holds a 640x480x3 array."""
    count = lab.count(200)
    ours = lab.program("horus", "ours_topics", core=lab.cores[0])
    plain = lab.program("plain", "plain", core=lab.cores[0])
    series = lab.interleave(
        {
            "HORUS": asking(ours, "array_pair", count=count),
            "numpy, two copies": asking(plain, "copy_twice", count=count),
        }
    )
    title = "a dict holding a 640x480x3 array, one thread"
    mine, floor = series["HORUS"], series["numpy, two copies"]
    return [Row(title, "1.5 x", "ns", mine, lambda ns: 1.5 * ns, floor)]
