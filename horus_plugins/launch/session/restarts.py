"""Whether a process that has ended is started again, and after how long."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_plugins.launch.file.plan import RestartPolicy


class Restarts:
    """The book of one process's ends."""

    def __init__(self, policy: RestartPolicy) -> None:
        self.policy = policy
        self._backoff_s = policy.backoff_s
        self._granted: deque[float] = deque()

    def after(self, *, failed: bool, lived_s: float, now_s: float) -> float | None:
        """Seconds to wait before the restart; None: leave it as it is.

        `failed`: it ended by a signal or with another exit code than 0; `now_s` on any clock that never jumps.
        """
        policy = self.policy
        if not self.wants(failed=failed):
            return None
        if lived_s >= policy.stable_s:
            self._backoff_s = policy.backoff_s
            if policy.window_s is None:
                self._granted.clear()
        if policy.window_s is not None:
            while self._granted and self._granted[0] <= now_s - policy.window_s:
                self._granted.popleft()
        if len(self._granted) >= policy.max:
            return None
        self._granted.append(now_s)
        wait_s = min(self._backoff_s, policy.max_backoff_s)
        self._backoff_s = min(2 * self._backoff_s, policy.max_backoff_s)
        return wait_s

    def reset(self) -> None:
        """Forget what was: somebody restarts it by hand."""
        self._backoff_s = self.policy.backoff_s
        self._granted.clear()

    def wants(self, *, failed: bool) -> bool:
        """Whether the policy restarts after such an end, as long as the numbers allow."""
        return self.policy.policy == "always" or (self.policy.policy == "on-failure" and failed)

    def __str__(self) -> str:
        window = "" if self.policy.window_s is None else f" within {self.policy.window_s:g} s"
        return f"{self.policy.max} restart{'s' * (self.policy.max != 1)}{window}"
