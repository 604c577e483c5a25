"""Faces in a picture, found by CenterFace (https://arxiv.org/abs/1911.03599) with onnxruntime."""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

# The network answers on a grid that is 4 times coarser than the picture.
STRIDE = 4
# Its five halvings need sides that are multiples of this.
SIDE = 32
# Wider pictures are scaled to this: half the time of 640 pixels, and it finds as much in the demo's videos.
WIDTH_MAX = 480
# Boxes that share more than this part of their union show one face.
OVERLAP = 0.3

# From hairline to chin, about the height of the network's boxes, an adult's face is 0.19 m high.
FACE_HEIGHT_M = 0.19
# The horizontal field of view of a common webcam. The demo's recordings do not say theirs.
FIELD_OF_VIEW_DEG = 60.0


@dataclass(frozen=True)
class Face:
    """A face: its box in pixels from the top left corner, and how sure the network is, 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float
    score: float

    def distance(self, picture_width: int) -> float:
        """Return how far away the face is in metres, by the model of a pinhole camera.

        A face H metres high at distance Z is h = f * H / Z pixels high, so Z = f * H / h; the focal length in
        pixels is f = width / 2 / tan(field of view / 2).
        """
        focal_px = picture_width / 2 / math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2)
        return focal_px * FACE_HEIGHT_M / max(self.bottom - self.top, 1.0)


class FaceDetector:
    """The network, loaded once. One thread: a detector on a robot shares its cores with others."""

    def __init__(self, model: Path, *, threshold: float = 0.5, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # the file lists unused weights, each worth a warning at level 2
        self._session = onnxruntime.InferenceSession(
            _any_size(model), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._threshold = threshold

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Return the faces in an RGB picture (height, width, 3), the surest first. It is only read."""
        height, width = pixels.shape[:2]
        scale = min(1.0, WIDTH_MAX / width)
        net_height, net_width = (max(round(side * scale / SIDE), 1) * SIDE for side in (height, width))
        blob = cv2.dnn.blobFromImage(pixels, size=(net_width, net_height))
        heat, log_size, offset, _landmarks = self._session.run(None, {self._input: blob})
        faces = _decode(heat[0, 0], log_size[0], offset[0], self._threshold)
        grow = np.array([width / net_width, height / net_height] * 2 + [1.0])
        limit = np.array([width, height] * 2 + [1.0])
        return [Face(*map(float, row)) for row in np.clip(faces * grow, 0, limit)]


def _any_size(model: Path) -> bytes:
    """Return the model with free batch and picture sizes: the file states 10 pictures of 32x32."""
    network = onnx.load(str(model))
    weights = {weight.name for weight in network.graph.initializer}
    for value in [*network.graph.input, *network.graph.output]:
        if value.name not in weights:
            for axis, dim in enumerate(value.type.tensor_type.shape.dim):
                if axis != 1:  # channels
                    dim.dim_param = f"{value.name}_{axis}"
    return bytes(network.SerializeToString())


def _decode(
    heat: NDArray[np.float32], log_size: NDArray[np.float32], offset: NDArray[np.float32], threshold: float
) -> NDArray[np.float64]:
    """Return rows of left, top, right, bottom, score. Sizes and offsets come as (vertical, horizontal)."""
    rows, columns = np.nonzero(heat > threshold)
    heights, widths = np.exp(log_size[:, rows, columns]) * STRIDE
    middle_y = (rows + offset[0, rows, columns] + 0.5) * STRIDE
    middle_x = (columns + offset[1, rows, columns] + 0.5) * STRIDE
    scores = heat[rows, columns]
    boxes = np.stack(
        [
            middle_x - widths / 2,
            middle_y - heights / 2,
            middle_x + widths / 2,
            middle_y + heights / 2,
            scores,
        ],
        axis=1,
    ).astype(np.float64)
    return _best_of_each(boxes[np.argsort(-scores, kind="stable")])


def _best_of_each(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep, of boxes that show the same face, the surest. `boxes` come sorted, the surest first."""
    kept = []
    while len(boxes):
        best, boxes = boxes[0], boxes[1:]
        kept.append(best)
        sides = np.minimum(best[2:4], boxes[:, 2:4]) - np.maximum(best[:2], boxes[:, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        areas = np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
        union = np.prod(best[2:4] - best[:2]) + areas - shared
        boxes = boxes[shared <= OVERLAP * union]
    return np.array(kept).reshape(-1, 5)
