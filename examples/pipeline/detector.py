"""Detector: finds faces in the frames of camera.rgb with a pretrained network, publishes detections."""

import sys
from pathlib import Path

import assets
import numpy as np
import options
import picture
from faces import Face, FaceDetector
from numpy.typing import NDArray

import horus

# What closest_distance says when nothing is in sight, in metres.
NOTHING_NEAR = 999.0


class Detector:
    """Looks at the newest frame where it lies in shared memory, and remembers the one it was surest of."""

    def __init__(self, faces: FaceDetector, picture_path: Path) -> None:
        self._faces = faces
        self._picture_path = picture_path
        self._best: tuple[float, NDArray[np.uint8], list[Face]] | None = None

    def init(self) -> None:
        # The first run of a network is slow: it allocates what later runs reuse.
        self._faces.find(np.zeros((options.HEIGHT, options.WIDTH, 3), np.uint8))

    def tick(self, node: horus.Node) -> None:
        images = node.recv_all("camera.rgb")
        if not images:
            return
        pixels = images[-1].to_numpy()  # a view of the camera's pool, not a copy
        found = self._faces.find(pixels)
        distances = [round(face.distance(pixels.shape[1]), 3) for face in found]
        node.send(
            "detections",
            {
                "count": len(found),
                "closest_distance": min(distances, default=NOTHING_NEAR),
                "boxes": [[round(side) for side in (f.left, f.top, f.right, f.bottom)] for f in found],
                "scores": [round(face.score, 3) for face in found],
                "distances": distances,
                "frame_timestamp_ns": images[-1].timestamp_ns,
            },
        )
        self._remember(pixels, found)

    def shutdown(self) -> None:
        if self._best is None:
            print("no frame came on camera.rgb: no picture")
            return
        _, pixels, found = self._best
        picture.save(self._picture_path, picture.annotate(pixels, found, options.STOP_DISTANCE))
        seen = f"{len(found)} face{'s' if len(found) != 1 else ''}" if found else "no face was seen"
        print(f"picture: {self._picture_path.resolve()} ({seen})", flush=True)

    def _remember(self, pixels: NDArray[np.uint8], found: list[Face]) -> None:
        score = sum(face.score for face in found)
        if self._best is None or score > self._best[0]:
            self._best = (score, pixels.copy(), found)


def main() -> None:
    asked = options.parse("Find faces in the frames of camera.rgb.")
    try:
        detector = Detector(FaceDetector(assets.face_network()), asked.picture)
    except FileNotFoundError as error:
        sys.exit(f"detector: {error}")
    node = horus.Node(
        "detector",
        subs=[horus.Sub("camera.rgb", horus.Image)],
        pubs=["detections"],
        tick=detector.tick,
        init=detector.init,
        shutdown=detector.shutdown,
        rate=10,
    )
    horus.run(node, duration=asked.duration)


if __name__ == "__main__":
    main()
