"""Tells how close the camera's bright square is: the larger, the closer."""

import numpy as np

import horus


def tick(node: horus.Node) -> None:
    image = node.recv("camera.rgb")
    if image is None:
        return
    pixels = image.to_numpy()
    side = float(np.sqrt(np.count_nonzero(pixels[:, :, 0])))
    distance = 0.25 * pixels.shape[0] / side if side else 999.0
    node.send("detections", {"count": int(side > 0), "closest_distance": distance})


node = horus.Node("detector", subs=[horus.Image], pubs=["detections"], tick=tick, rate=10)

if __name__ == "__main__":
    horus.run(node)
