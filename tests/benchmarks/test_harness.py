"""The benchmark harness: arithmetic, table and file, programs and floors, and that nothing is left.

Nothing here asserts how fast anything is.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmarks import cfloor, machine, report, stats
from benchmarks.hogs import quiet_or_busy
from benchmarks.lab import Lab, asking
from benchmarks.program import Program, ProgramError
from benchmarks.row import Row
from benchmarks.stats import Series, Summary

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
sys.path.insert(0, {peers!r})
import protocol

def fail():
    raise ValueError("no such thing")

def stop():
    sys.exit(3)

protocol.serve(echo=lambda value: dict(value=value), fail=fail, stop=stop, chatter=lambda: print("noise"))
"""


def series(name, *p50s):
    return Series(name, [Summary(p50, 2 * p50) for p50 in p50s])


@pytest.fixture
def program(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(peers=str(ROOT / "benchmarks" / "peers")))
    running = Program([sys.executable, str(script)])
    yield running
    running.close()


def test_a_limit_is_held_against_the_floor_of_its_own_round():
    """A slow round of the machine is slow for both: what counts is the margin pair by pair."""
    row = Row(
        "t", "floor + 10", "ns", series("HORUS", 30, 130, 35), lambda ns: ns + 10, series("C", 25, 125, 20)
    )
    assert row.limits() == [35, 135, 30]
    assert row.holds
    assert row.ratio == pytest.approx(1.2)
    row.broken.append("lost a message")
    assert not row.holds


def test_more_can_be_better():
    """A rate holds when it is at least the limit, and not below."""
    assert Row("t", "at least 3", "/s", series("HORUS", 4, 3), 3.0, more_is_better=True).holds
    assert not Row("t", "at least 3", "/s", series("HORUS", 2, 2), 3.0, more_is_better=True).holds


def test_rounds_are_interleaved_and_begin_with_another_each():
    """Every contestant runs once a round; the first of a round changes."""
    ran = []
    contestants = {name: (lambda name=name: ran.append(name) or Summary(1, 1)) for name in "abc"}
    measured = stats.interleave(contestants, 3)
    assert "".join(ran) == "abcbcacab"
    assert all(len(one.rounds) == 3 for one in measured.values())


def test_a_small_difference_is_taken_between_two_runs_alone():
    """Each contestant is held against the mean of the run before and the one after: a drift is in neither."""
    drift = iter(range(0, 1000, 10))
    contestants = {
        name: (lambda more=more: Summary(next(drift) + more, 1)) for name, more in (("a", 3), ("b", 5))
    }
    found = stats.between(lambda: Summary(next(drift), 1), contestants, 20)
    assert {name: stats.excess(*pair) for name, pair in found.items()} == {"a": (3, 3, 3), "b": (5, 5, 5)}
    assert all(len(one.rounds) == 20 for pair in found.values() for one in pair)


def test_the_bounds_of_a_difference_are_those_of_its_median():
    """Of differences that vary the bounds lie around the median, within what was seen; each call says the same."""
    ours, other = series("a", *range(100, 200)), series("b", *[100] * 100)
    median, low, high = stats.excess(ours, other)
    assert 0 <= low < median == 49.5 < high <= 99
    assert stats.excess(ours, other) == (median, low, high)


def test_a_sum_of_floors_is_made_round_by_round():
    """The floor "msgspec + typed pair" is the sum of the two in the same round."""
    assert stats.add("both", series("a", 1, 2), series("b", 10, 20)).p50s == [11, 22]


def test_the_table_shows_floor_peers_and_verdict():
    """One line for the figure, one for each peer, one for each note; units that fit."""
    row = Row("typed", "floor + 180 ns", "ns", series("HORUS", 200.0), lambda ns: ns + 180, series("C", 60.0))
    row.peers.append(series("Pipe", 5000.0))
    row.notes.append("a note")
    shown = report.lines(row)
    assert shown[0].split()[-1] == "holds"
    assert "floor + 180 ns = 240 ns" in shown[0]
    assert "C 60.0 ns" in shown[0]
    assert "5.00 us" in shown[1]
    assert "25.0 x" in shown[1]
    assert shown[2].strip() == "a note"
    missed = Row("typed", "100 ns", "ns", series("HORUS", 200.0), 100.0)
    assert report.lines(missed)[0].split()[-1] == "MISSED"


def test_the_file_holds_every_round(tmp_path):
    """What was measured can be read again, round by round, with the reason of a verdict."""
    row = Row("typed", "100 ns", "ns", series("HORUS", 70.0, 72.0), 100.0)
    report.save(tmp_path / "r" / "latest.json", {"quick": True}, {"typed-thread": [row]})
    saved = json.loads((tmp_path / "r" / "latest.json").read_text())
    figure = saved["figures"]["typed-thread"][0]
    assert saved["quick"] is True
    assert [one["p50"] for one in figure["ours"]["rounds"]] == [70.0, 72.0]
    assert figure["holds"] is True
    assert figure["limit"] == 100.0


def test_a_program_answers_in_json_lines_whatever_it_prints(program):
    """What a library prints does not get into the answers; an exception is told by name."""
    assert program.ask("echo", value=[1, "x"]) == {"value": [1, "x"]}
    assert program.ask("chatter") == {}
    with pytest.raises(ProgramError, match="ValueError: no such thing"):
        program.ask("fail")
    assert program.ask("echo", value=2) == {"value": 2}


def test_a_program_that_ends_is_an_error_that_says_how(program):
    """A peer that crashes fails the figure; it does not hang it."""
    with pytest.raises(ProgramError, match=r"ended without an answer \(exit code 3\)"):
        program.ask("stop")


@pytest.mark.parametrize("floor", ["pingpong", "twolines", "futex", "atomics", "core_pair", "core_pingpong"])
def test_the_floors_compile_and_answer(floor):
    """Each floor in C compiles here, those of our core against its public headers, and gives its percentiles."""
    left, right = machine.two_cores()
    answer = cfloor.run_floor(floor, 20, 5, left, right)
    assert answer.p50 > 0
    assert answer.p99 > 0


def test_a_figure_leaves_no_process_and_no_shared_memory():
    """The programs of a figure end with it, and what they had in shared memory goes."""
    lab = Lab(rounds=1, scale=0.01)
    with lab.figure():
        running = lab.program("horus", "pipe")
        assert asking(running, "pair", count=10, burst=1)().p50 > 0
        left = machine.SHM / f"{lab.prefix}left"
        left.write_bytes(b"x")
    assert not left.exists()
    assert not Path("/proc", str(running.pid)).exists()


def test_what_a_killed_run_left_is_removed_by_the_next():
    """Leftovers carry the id of their run; those of a living run stay."""
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    stem = f"hbtest{os.getpid()}x"
    gone, alive = machine.SHM / f"{stem}{dead.pid}_a", machine.SHM / f"{stem}{os.getpid()}_a"
    try:
        gone.write_bytes(b"x")
        alive.write_bytes(b"x")
        assert machine.remove_dead_runs(stem) == [str(gone)]
        assert alive.exists()
    finally:
        alive.unlink(missing_ok=True)
        gone.unlink(missing_ok=True)


def test_programs_die_with_a_killed_harness(tmp_path):
    """SIGKILL to the harness takes its programs with it: nothing keeps a core busy afterwards."""
    code = (
        "import sys; from benchmarks.program import Program\n"
        "p = Program([sys.executable, '-c', 'while True: pass']); print(p.pid, flush=True); p.result(60)"
    )
    harness = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert harness.stdout is not None
    pid = int(harness.stdout.readline())
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    harness.stdout.close()
    deadline = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < deadline, "the program lives on"
        time.sleep(0.01)


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_command_line_lists_every_figure():
    """`--list` names the figures that can be measured alone; another name is refused."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"typed-thread", "typed-polling", "image-private", "opening"} <= set(done.stdout.split())
    wrong = subprocess.run(
        [sys.executable, "-m", "benchmarks", "typed-thred"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrong.returncode == 2
    assert "no such figure: typed-thred" in wrong.stderr


def test_a_figure_may_be_judged_by_its_99th_percentile():
    """Real time is about the worst: limit, floor and verdict are then of the 99th percentile, pair by pair."""
    row = Row("t", "1.5 x", "ns", series("HORUS", 10, 10), lambda ns: 1.5 * ns, series("C", 9, 9), by="p99")
    assert row.limits() == [27, 27]  # series() has twice the median as p99
    assert row.holds
    assert "C 18.0 ns" in report.lines(row)[0]
    assert Row("t", "15 ns", "ns", series("HORUS", 10), 15.0).holds
    assert not Row("t", "15 ns", "ns", series("HORUS", 10), 15.0, by="p99").holds


def test_percentiles_of_samples():
    """What the harness has as samples gets the same percentiles as those of programs; the table shows all three."""
    one = Summary.of_samples([float(value) for value in range(1000)])
    assert (one.p50, one.p99, one.p999) == (500, 990, 999)
    shown = report.lines(Row("t", "2 us", "ns", Series("HORUS", [one]), 2000.0))
    assert shown[0].split()[-7:-1] == ["500", "ns", "990", "ns", "999", "ns"]


def test_a_hog_runs_beside_a_figure_and_no_longer():
    """The title says which core is kept busy; without one nothing is."""
    core = min(os.sched_getaffinity(0))
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    before = set(children.read_text().split())
    with quiet_or_busy(core) as beside:
        (hog,) = set(children.read_text().split()) - before
        assert beside == f", hog on core {core}"
        assert os.sched_getaffinity(int(hog)) == {core}
    assert not Path("/proc", hog).exists()
    with quiet_or_busy(None) as beside:
        assert beside == ""
