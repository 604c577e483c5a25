"""What the exit codes of all commands mean. 0: done; 2, click's: used wrongly."""

from __future__ import annotations

FAILED = 1
TIMEOUT = 124
"""The time is up, as timeout(1) says it."""
INTERRUPTED = 130
"""By Ctrl+C, as shells say it: 128 and the number of SIGINT."""
