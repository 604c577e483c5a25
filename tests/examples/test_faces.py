"""The demo's network finds the faces in real frames, where they are, and none where there are none."""

import assets
import cv2
import numpy as np
import picture
import pytest
from faces import Face, FaceDetector
from frames import Frames


@pytest.fixture(scope="module")
def detector():
    return FaceDetector(assets.face_network())


def rgb(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def frame(path, number):
    """Frame `number` of a video as the camera node publishes it: 640x480, RGB."""
    frames = Frames([path])
    pixels = np.empty((480, 640, 3), np.uint8)
    for _ in range(number + 1):
        frames.read_into(pixels)
    frames.close()
    return pixels


def assert_box(face, expected, tolerance):
    box = (face.left, face.top, face.right, face.bottom)
    assert np.abs(np.subtract(box, expected)).max() <= tolerance, box


def test_one_face_on_the_astronaut(detector):
    """The portrait has one face, at the place a person marked in the photograph."""
    (face,) = detector.find(rgb(assets.astronaut_photo()))
    assert_box(face, (180, 60, 270, 178), tolerance=12)
    assert face.score > 0.8


@pytest.mark.parametrize(
    ("number", "box"),
    [(0, (240, 125, 410, 330)), (50, (195, 116, 369, 336)), (95, (150, 114, 332, 330))],
)
def test_the_man_in_the_car_is_near(detector, number, box):
    """In the car every frame shows one face, less than a metre away, and the box follows it."""
    (face,) = detector.find(frame(assets.car_video(), number))
    assert_box(face, box, tolerance=20)
    assert face.distance(640) < 1.0


@pytest.mark.parametrize(("number", "box"), [(30, (264, 120, 316, 195)), (120, (417, 131, 440, 159))])
def test_people_in_the_street_are_farther(detector, number, box):
    """The walker (frame 30) and the cyclist (frame 120) are found, both more than a metre away."""
    (face,) = detector.find(frame(assets.street_video(), number))
    assert_box(face, box, tolerance=12)
    assert face.distance(640) > 1.0


@pytest.mark.parametrize("number", [0, 60, 180, 240])
def test_no_face_in_an_empty_street(detector, number):
    """Streets, cars and bicycles are not faces."""
    assert detector.find(frame(assets.street_video(), number)) == []


@pytest.mark.parametrize("photo", ["coffee.png", "chelsea.png", "rocket.jpg"])
def test_no_face_on_other_photographs(detector, photo):
    """A cup, a cat and a rocket are not (human) faces."""
    assert detector.find(rgb(assets.packaged_file("skimage", f"data/{photo}"))) == []


@pytest.mark.parametrize("seed", range(5))
def test_no_face_in_noise(detector, seed):
    """Noise holds no face."""
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert detector.find(noise) == []


def test_a_picture_of_any_size_is_read_only_looked_at(detector):
    """Sides need not suit the network, and the detector accepts what it must not write to."""
    pixels = np.ascontiguousarray(rgb(assets.astronaut_photo())[:401, :483])
    pixels.flags.writeable = False
    (face,) = detector.find(pixels)
    assert_box(face, (180, 60, 270, 178), tolerance=12)


def test_distance_follows_the_pinhole_formula():
    """At 60 degrees and 640 pixels f is 554.3 px: a face of 0.19 m that is 105.3 px high is 1 m away."""
    face = Face(0, 0, 80, 105.31, 1.0)
    assert face.distance(640) == pytest.approx(1.0, abs=1e-3)
    assert Face(0, 0, 40, 52.655, 1.0).distance(640) == pytest.approx(2.0, abs=2e-3)


def test_the_annotated_picture_marks_near_red_and_far_green(tmp_path):
    """Near and far faces differ in colour, the frame itself stays as it was, and the file reads back."""
    pixels = frame(assets.car_video(), 0)
    before = pixels.copy()
    near, far = Face(240, 125, 410, 330, 0.9), Face(500, 300, 520, 325, 0.7)
    canvas = picture.annotate(pixels, [near, far], stop_distance=1.0)
    assert (pixels == before).all()
    assert tuple(canvas[200, 240]) == picture.NEAR
    assert tuple(canvas[312, 500]) == picture.FAR
    picture.save(tmp_path / "out" / "seen.png", canvas)
    assert (rgb(tmp_path / "out" / "seen.png") == canvas).all()
