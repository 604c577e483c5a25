"""examples/balance: the pole stands, pushed, in one process and in two, and falls where the controller is slow."""

import re
import struct

SECONDS = 7
TOGETHER = ("balance/plant.py", "balance/controller.py")


def settings(tmp_path, **more):
    picture = tmp_path / "balance.png"
    return picture, {"HORUS_BALANCE_DURATION": str(SECONDS), "HORUS_BALANCE_PICTURE": str(picture), **more}


def stood(example, picture):
    """The pole stood to the end, the pushes moved it, and the picture was drawn."""
    assert example.finish(timeout=90) == 0, example.out
    seconds, degrees = re.search(r"stood for ([\d.]+) s, at most ([\d.]+) degrees", example.out).groups()
    assert float(seconds) == SECONDS
    assert 5 < float(degrees) < 45
    assert re.search(r"tick jitter: p50 \d+ us, p99 \d+ us", example.out)
    header = picture.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert struct.unpack(">II", header[16:]) == (1000, 600)


def test_it_stands_in_two_processes(start, tmp_path):
    """Joined by topics alone, each in its own process, for 7 s with two pushes."""
    picture, environment = settings(tmp_path)
    stood(start(*TOGETHER, **environment), picture)


def test_it_stands_in_one_process(start, tmp_path):
    """The same nodes, each on its own thread of one process."""
    picture, environment = settings(tmp_path)
    stood(start("balance/balance.py", alone=True, **environment), picture)


def test_it_falls_where_the_controller_is_slow(start, tmp_path):
    """At 20 Hz the same controller is too late for this pole: it is the loop that keeps it up."""
    _, environment = settings(tmp_path, HORUS_BALANCE_RATE="20")
    example = start(*TOGETHER, **environment)
    assert example.finish(timeout=90) != 0
    seconds = float(re.search(r"the pole fell after ([\d.]+) s", example.out).group(1))
    assert 1 < seconds < SECONDS
