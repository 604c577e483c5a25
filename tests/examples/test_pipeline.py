"""`make demo`: the pipeline on real frames, in three processes, from the first frame to the last line."""

import json
import re
import subprocess
from pathlib import Path

import assets
import cv2
import numpy as np
import picture
import pytest

from horus_plugins.monitor.topics import topics

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = ("pipeline/camera.py", "pipeline/detector.py", "pipeline/controller.py")


def command_counts(out):
    stops, commands = re.search(r"(\d+) of (\d+) commands were a stop", out).groups()
    return int(stops), int(commands)


def row(out, topic):
    """Return messages and rate of a topic from the summary."""
    found = re.search(
        rf"  {re.escape(topic)} +(\d+) +([\d.]+) Hz +[\d.]+ ms +[\d.]+ ms +(\d+)$", out, re.MULTILINE
    )
    assert found, out
    return int(found[1]), float(found[2])


def has_color(path, color):
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return int((np.abs(pixels.astype(int) - color).max(axis=2) < 8).sum()) > 100


def sent(namespace, topic):
    """How many messages its publishers have sent."""
    return sum(one.sent for state in topics(namespace) if state.name == topic for one in state.publishers)


def test_it_sees_the_man_in_the_car_and_stops(start, namespace, tmp_path):
    """Frames, detections and commands flow at their rates; the near face is seen, stopped for, and drawn."""
    seen = tmp_path / "seen.png"
    example = start(
        *PIPELINE,
        HORUS_DEMO_SOURCE=str(assets.car_video()),
        HORUS_DEMO_DURATION="0",
        HORUS_DEMO_PICTURE=str(seen),
    )
    # 250 commands take 5 s from the controller's start, in which a busy machine may start the others.
    example.wait_until(
        lambda _: sent(namespace, "cmd_vel") >= 250 and sent(namespace, "detections") >= 15, timeout=60
    )
    example.interrupt()
    assert example.finish() == 0
    out = example.out
    assert re.search(r"1 face, 0\.\d\d m: stop", out), out
    assert not re.search(r"m: drive", out)
    with_faces, frames = map(int, re.search(r"faces in (\d+) of (\d+) frames", out).groups())
    assert with_faces == frames > 5
    for topic, least in (("camera.rgb", 50), ("detections", 10), ("cmd_vel", 100)):
        assert row(out, topic)[0] >= least, out
    stops, commands = command_counts(out)
    assert stops == commands
    assert f"picture: {seen} (1 face)" in out
    assert has_color(seen, picture.NEAR)


def test_it_drives_where_nobody_is(start, tmp_path):
    """A rocket is no face: once the first frame was looked at, the robot drives; the picture has no box."""
    seen = tmp_path / "seen.png"
    example = start(
        *PIPELINE,
        HORUS_DEMO_SOURCE=str(assets.packaged_file("skimage", "data/rocket.jpg")),
        HORUS_DEMO_DURATION="0",
        HORUS_DEMO_PICTURE=str(seen),
    )
    example.wait_for("nobody: drive 0.5 m/s")
    example.interrupt()
    assert example.finish() == 0
    assert "faces in 0 of" in example.out
    assert "(no face was seen)" in example.out
    assert not has_color(seen, picture.NEAR)
    assert not has_color(seen, picture.FAR)


def test_ctrl_c_ends_it_with_a_summary(start, tmp_path):
    """Ctrl+C after the first status line: summary, picture, exit code 0, no traceback, nothing left."""
    seen = tmp_path / "seen.png"
    example = start(*PIPELINE, HORUS_DEMO_PICTURE=str(seen))
    example.wait_until(lambda lines: any(re.search(r"detections \d+ Hz", line) for line in lines))
    example.interrupt()
    assert example.finish() == 0
    assert "summary after" in example.out
    assert seen.is_file()


def test_a_blind_controller_stops(start):
    """Without any detection the controller stops; it says so, and sends nothing but stops."""
    example = start(PIPELINE[2], alone=True, arguments=("--duration", "2"))
    assert example.finish() == 0
    assert "no detections yet: stop" in example.out
    stops, commands = command_counts(example.out)
    assert stops == commands > 20


def test_the_controller_stops_when_the_detector_dies(start, probe):
    """The way was free, then detections stop coming: half a second later so does the robot."""
    example = start(PIPELINE[2], alone=True, arguments=("--duration", "0"))
    free = {"count": 0, "closest_distance": 999.0, "frame_timestamp_ns": 0}
    driving = probe("cmd_vel", count=60, tell=("detections", free))
    assert {"linear": 0.5, "angular": 0.0} in driving
    stopped = probe("cmd_vel", count=60)
    assert stopped[-1] == {"linear": 0.0, "angular": 0.0}
    example.interrupt()
    assert example.finish() == 0


# spec: A25, B13
def test_the_network_sees_the_pool_itself(start, namespace):
    """What the network is given lies in the camera's pool, read-only: the frame was not copied."""
    camera = start(
        PIPELINE[0], alone=True, arguments=("--source", str(assets.astronaut_photo()), "--duration", "0")
    )
    witness = start("../tests/examples/look_in_place.py", alone=True)
    assert witness.finish(timeout=60) == 0
    seen = json.loads(witness.out)
    assert f"horus_{namespace}" in seen["mapping"]
    assert (seen["owns"], seen["writable"], seen["faces"]) == (False, False, 1)
    camera.interrupt()
    assert camera.finish() == 0


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("/no/such.mp4", "cannot open /no/such.mp4: expected a video or a photograph, got no such file"),
        ("63", "cannot open webcam 63: is /dev/video63 there, readable and not in use?"),
    ],
)
def test_a_source_that_cannot_be_opened(start, source, complaint):
    """The camera ends with exit code 1 and one line that says what to look at."""
    example = start(PIPELINE[0], alone=True, arguments=("--source", source))
    assert example.finish() == 1
    assert example.err.splitlines()[-1] == f"camera: {complaint}"


def test_make_demo_runs_these_three():
    """`make demo` is `horus run` with the three scripts, in a venv that holds what they need."""
    said = subprocess.run(
        ["make", "--dry-run", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.replace("\\\n", "")
    scripts = " ".join(f"examples/{script}" for script in PIPELINE)
    assert f"/horus run {scripts}" in re.sub(" +", " ", said)
