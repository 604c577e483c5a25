"""How much is said of an error."""

from __future__ import annotations

show_tracebacks = False
"""Whether `horus --debug` asked for them."""
