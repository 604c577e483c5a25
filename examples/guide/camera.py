"""The guide's camera: an image of noise, to show how images travel. examples/pipeline has real ones."""

import numpy as np

import horus

random = np.random.default_rng()


def tick(node: horus.Node) -> None:
    pixels = random.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    node.send("camera.rgb", horus.Image.from_numpy(pixels))


node = horus.Node("camera", pubs=[horus.Image], tick=tick, rate=30)

if __name__ == "__main__":
    horus.run(node)
