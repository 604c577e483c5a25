"""The runner beside the tests is found by its names."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
