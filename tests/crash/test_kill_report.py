"""When a delay is excused: by what the machine did in that time, and nothing else."""

import time

import bystanders
import kill_report
import pytest

MS = 1_000_000


class Still:
    """A pair that stood still for so long."""

    def __init__(self, stall_ns):
        self._stall_ns = stall_ns

    def stall_ns(self, start_ns, end_ns):
        return min(self._stall_ns, end_ns - start_ns)


@pytest.mark.parametrize(
    ("stall_ms", "waited_ms", "stalled", "starved"), [(60, 0, 1, 0), (0, 60, 0, 1), (60, 60, 1, 0)]
)
def test_the_reasons_of_a_delay_are_counted_apart(stall_ms, waited_ms, stalled, starved):
    """One of them must suffice."""
    report = kill_report.Report(Still(stall_ms * MS))
    report.fault("role", "place", stop=False, struck_ns=0, end_ns=150 * MS, waited_ns=waited_ms * MS)
    assert (report.stalled, report.starved, report.over) == (stalled, starved, 1)


def test_two_halves_of_a_reason_are_none():
    """The same time can be in both."""
    report = kill_report.Report(Still(30 * MS))
    with pytest.raises(kill_report.LateError, match=r"still for 30\.0 ms of it; one .* for 30\.0 ms"):
        report.fault("role", "place", stop=False, struck_ns=0, end_ns=150 * MS, waited_ns=30 * MS)


def test_waits_before_the_strike_and_of_several_processes_are_no_excuse(monkeypatch):
    """The longest of one process counts, and of what passed before the strike was heard of no more than that took."""
    waited = {1: 500 * MS, 2: 500 * MS}
    monkeypatch.setattr(bystanders, "waited_ns", lambda _: dict(waited))
    waits = bystanders.Waits([1, 2])
    waited[1] += 300 * MS
    struck_ns = time.monotonic_ns()
    waits.struck()
    heard_ns = time.monotonic_ns() - struck_ns
    waited[1] += 20 * MS
    waited[2] += 40 * MS
    assert 40 * MS <= waits.longest_ns(struck_ns) <= 40 * MS + heard_ns
