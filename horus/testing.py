"""What tests of nodes need; the pytest fixture `horus_namespace` is there without an import."""

from __future__ import annotations

from horus_core.nodes.making import make_nodes
from horus_core.testing.conformance import backend_conformance
from horus_core.testing.mock_clock import MockClock
from horus_core.testing.ticks import run_ticks
from horus_plugins.launch.testing import launched

__all__ = ["MockClock", "backend_conformance", "launched", "make_nodes", "run_ticks"]
