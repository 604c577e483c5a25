"""From keys to velocities, without a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field

KEYS = {
    "w": (1.0, 0.0),
    "s": (-1.0, 0.0),
    "a": (0.0, 1.0),
    "d": (0.0, -1.0),
    "\x1b[A": (1.0, 0.0),
    "\x1b[B": (-1.0, 0.0),
    "\x1b[D": (0.0, 1.0),
    "\x1b[C": (0.0, -1.0),
}
"""Which way each key drives: (forward, to the left). The last four are the arrow keys."""

HOLD_S = 0.5
"""How long a key counts: longer than the pause before a keyboard repeats what is held down."""


@dataclass
class Driver:
    """Velocities of the keys that were pressed last. Without a key for HOLD_S seconds: zero."""

    linear: float
    """Of the forward keys, in m/s."""
    angular: float
    """Of the turning keys, in rad/s."""
    _until: dict[str, float] = field(default_factory=dict)

    def press(self, text: str, now: float) -> None:
        """Take what the keyboard sent, at a time in seconds; any other key stops at once."""
        for key in split(text):
            if key in KEYS:
                self._until[key] = now + HOLD_S
            else:
                self._until.clear()

    def command(self, now: float) -> tuple[float, float]:
        """The velocities to drive at: (m/s forward, rad/s counter-clockwise)."""
        pressed = [KEYS[key] for key, until in self._until.items() if now < until]
        forward = max(-1.0, min(1.0, sum(key[0] for key in pressed)))
        left = max(-1.0, min(1.0, sum(key[1] for key in pressed)))
        return forward * self.linear, left * self.angular


def split(text: str) -> list[str]:
    """The keys in what a terminal sent: an arrow key is three characters."""
    keys = []
    while text:
        length = 3 if text.startswith("\x1b[") and len(text) >= 3 else 1  # noqa: PLR2004 - ESC [ A
        keys.append(text[:length])
        text = text[length:]
    return keys
