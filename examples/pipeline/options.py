"""What the three scripts can be told: on the command line, or by HORUS_DEMO_* for all of them at once."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

# The size of the frames on camera.rgb, in pixels.
HEIGHT, WIDTH = 480, 640
# A face that is nearer than this stops the robot, in metres.
STOP_DISTANCE = 1.0


class Options(argparse.Namespace):
    """The parsed command line."""

    source: str | None
    duration: float | None
    picture: Path


def parse(description: str, arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; what it does not say comes from the environment, then from here."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--source",
        default=os.environ.get("HORUS_DEMO_SOURCE") or None,
        help="a video, a photograph or the number of a webcam (HORUS_DEMO_SOURCE; default: recorded videos)",
    )
    parser.add_argument(
        "--duration",
        type=_seconds,
        default=os.environ.get("HORUS_DEMO_DURATION") or "20",
        help="seconds until the end, 0 for no end (HORUS_DEMO_DURATION; default: 20)",
    )
    parser.add_argument(
        "--picture",
        type=Path,
        default=os.environ.get("HORUS_DEMO_PICTURE") or "out/detections.png",
        help="where the annotated picture goes (HORUS_DEMO_PICTURE; default: out/detections.png)",
    )
    return parser.parse_args(arguments, Options())


def _seconds(text: str) -> float | None:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, got {text}")
    return seconds or None
