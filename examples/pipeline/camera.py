"""Camera: publishes real frames on camera.rgb, 30 times a second."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import assets
import options
from frames import Frames, SourceError

import horus


class Camera:
    """Reads frames and writes each of them straight into shared memory."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def tick(self, node: horus.Node) -> None:
        try:
            image = horus.Image(options.HEIGHT, options.WIDTH, "rgb8")
        except horus.PoolExhaustedError as error:
            # Somebody keeps too many frames. The camera goes on: this frame is lost, the next may not be.
            node.log_warning(f"frame dropped: {error}")
            return
        self._frames.read_into(image.to_numpy())
        image.timestamp_ns = time.monotonic_ns()
        node.send("camera.rgb", image)

    def shutdown(self) -> None:
        self._frames.close()


def sources(asked: str | None) -> Sequence[str | Path | int]:
    """Return what to play: what was asked for, or people passing in a street, then a man in a car."""
    if asked is None:
        return [assets.street_video(), assets.car_video()]
    return [int(asked)] if asked.isdecimal() else [asked]


def main() -> None:
    asked = options.parse("Publish frames on camera.rgb.")
    try:
        camera = Camera(Frames(sources(asked.source)))
    except (SourceError, FileNotFoundError) as error:
        sys.exit(f"camera: {error}")
    node = horus.Node(
        "camera",
        pubs=[horus.Pub("camera.rgb", horus.Image)],
        tick=camera.tick,
        shutdown=camera.shutdown,
        rate=30,
    )
    horus.run(node, duration=asked.duration)


if __name__ == "__main__":
    main()
