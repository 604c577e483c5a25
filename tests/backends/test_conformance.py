"""The box's backends keep what every backend promises."""

from __future__ import annotations

from horus.testing import backend_conformance

# spec: F31 DESIGN-5
TestShm = backend_conformance("shm")
TestLocal = backend_conformance("local", across_processes=False)
