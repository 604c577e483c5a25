"""A synthetic camera: a bright square that comes closer and goes away again."""

import math

import numpy as np

import horus

params = horus.RuntimeParams()
WIDTH = params.get("width", default=640)
HEIGHT = params.get("height", default=480)


def tick(node: horus.Node) -> None:
    near = 0.5 - 0.5 * math.cos(horus.elapsed())
    side = 4 + int(near * HEIGHT / 2)
    pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[:side, :side] = 255
    node.send("camera.rgb", horus.Image.from_numpy(pixels))


node = horus.Node("camera", pubs=[horus.Image], tick=tick, rate=30)

if __name__ == "__main__":
    horus.run(node)
