"""The messages that are sent, the same for every library."""

from __future__ import annotations

from typing import Any

SMALL: dict[str, Any] = {"celsius": 22.5, "location": "motor_1"}

STATUS: dict[str, Any] = {
    "node": "arm_controller",
    "state": "running",
    "uptime_s": 86432.75,
    "tick": 4321637,
    "rate_hz": 49.98,
    "cpu": 0.173,
    "rss_mb": 41.5,
    "errors": 0,
    "warnings": 3,
    "battery_v": 24.13,
    "battery_a": -1.72,
    "temperature_c": 41.25,
    "armed": True,
    "homed": True,
    "estop": False,
    "mode": "trajectory",
    "goal": "bin_7",
    "progress": 0.415,
    "joint": 5,
    "error_m": 0.00031,
}
assert len(STATUS) == 20

DICTS = {"small": SMALL, "status": STATUS}
