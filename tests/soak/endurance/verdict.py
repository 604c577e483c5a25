"""Whether a run was good: what must be flat is flat, all accounts close, nobody crashed, nothing is left."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from endurance.flat import Allowance, Growth, judge

if TYPE_CHECKING:
    from endurance.accounts import Ledger

_MIB = 1024  # samples are KiB
PROCESS = {
    "anonymous": Allowance(8 * _MIB, 2 * _MIB, "KiB"),
    "rss": Allowance(16 * _MIB, 8 * _MIB, "KiB"),
    "descriptors": Allowance(2, 0.9),
    "maps": Allowance(8, 8),
    "gone": Allowance(4, 4),
}
"""For each process that lives as long as the run."""

TOTAL = {
    "shm_kib": Allowance(32 * _MIB, 12 * _MIB, "KiB"),
    "shm_files": Allowance(8, 15),  # a process that is restarted has up to 60 chunks while it lives
    "shm_records": Allowance(4, 3),
    "gone_kib": Allowance(32 * _MIB, 16 * _MIB, "KiB"),
    "rss_mean": Allowance(4 * _MIB, 2.5 * _MIB, "KiB"),
    "descriptors_mean": Allowance(0.5, 0.5),
    "log_kib": Allowance(64, 32, "KiB"),
}
"""For all of it together, with the processes that are restarted. Of these not always equally many live, so it is the
mean of a process that is judged."""
_SHOWN = 20


@dataclass
class Verdict:
    """What was found, and what of it is wrong."""

    growths: list[Growth] = field(default_factory=list)
    ledger: Ledger | None = None
    wrong: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "good": self.good,
            "wrong": self.wrong,
            "figures": self.figures,
            "accounts": None if self.ledger is None else asdict(self.ledger),
            "growths": [asdict(growth) for growth in self.growths],
        }

    def text(self) -> str:
        """A summary for people."""
        lines = [f"{name}: {value}" for name, value in self.figures.items()]
        if self.ledger is not None:
            lines += _accounts_text(self.ledger)
        lines += [str(growth) for growth in self.growths]
        lines += ["", "VERDICT: good" if self.good else f"VERDICT: {len(self.wrong)} faults"]
        lines += self.wrong[:_SHOWN]
        if len(self.wrong) > _SHOWN:
            lines.append(f"... and {len(self.wrong) - _SHOWN} more")
        return "\n".join(lines)


def _accounts_text(ledger: Ledger) -> list[str]:
    return [
        "",
        f"accepted sends: {ledger.accepted} (refused {ledger.refused}, unknown for a kill {ledger.unknown})",
        f"subscribers: {ledger.ears}, of which {ledger.closed} lived to close their accounts, "
        f"with {ledger.pairs} pairs of publisher and subscriber",
        f"in closed accounts: delivered {ledger.delivered}, missed {ledger.missed}, skipped {ledger.skipped}",
        f"looks at counters: {ledger.looks}, {ledger.looks - len(ledger.unclosed)} add up; {ledger.exact} of them",
        f"to the message (closed accounts: {ledger.closed_exact}), the others within what was being sent just then "
        f"(at most {ledger.widest})",
        "",
    ]


def of_samples(verdict: Verdict, samples: list[dict[str, Any]], long_lived: list[str]) -> None:
    """Judge what must be flat."""
    times = [sample["s"] for sample in samples]
    for name, allowance in TOTAL.items():
        verdict.growths.append(judge(name, times, [sample[name] for sample in samples], allowance))
    for process in long_lived:
        there = [(sample["s"], found) for sample in samples if (found := sample["processes"].get(process))]
        for name, allowance in PROCESS.items():
            values = [found[name] for _, found in there]
            verdict.growths.append(judge(f"{process} {name}", [s for s, _ in there], values, allowance))
    verdict.wrong += [str(growth) for growth in verdict.growths if not growth.flat]


def of_ledger(verdict: Verdict, ledger: Ledger) -> None:
    """Judge the accounts."""
    verdict.ledger = ledger
    verdict.wrong += ledger.faults + ledger.unclosed
    if not ledger.delivered or not ledger.closed:
        verdict.wrong.append("nothing was delivered: nothing was proven")
