"""The demo's detector looks at one frame; prints as JSON in which mapping of this process the network saw it.

Expects the demo's camera on camera.rgb.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "pipeline"))

import assets
from detector import Detector
from faces import FaceDetector

import horus


def mapping_of(first, last):
    """Return the file behind the memory from `first` to `last`, both in one mapping."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _mode, _offset, _device, _inode, *name = line.split(maxsplit=5)
        start, end = (int(part, 16) for part in span.split("-"))
        if start <= first and last < end:
            return name[0] if name else ""
    return "more than one mapping"


class Witness(FaceDetector):
    """The demo's network, and a note of the memory that it was given."""

    def find(self, pixels):
        found = super().find(pixels)
        address = pixels.__array_interface__["data"][0]
        print(
            json.dumps(
                {
                    "mapping": mapping_of(address, address + pixels.nbytes - 1),
                    "owns": pixels.flags.owndata,
                    "writable": pixels.flags.writeable,
                    "faces": len(found),
                }
            ),
            flush=True,
        )
        return found


detector = Detector(Witness(assets.face_network()), Path("unused.png"))


def tick(node):
    if node.has_msg("camera.rgb"):
        detector.tick(node)
        node.request_stop()


horus.run(horus.Node("witness", subs=[horus.Sub("camera.rgb", horus.Image)], tick=tick), duration=30)
