"""Puts the folders with strategies for messages and values on the path."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "messages"), str(TESTS / "fuzz" / "python")]
