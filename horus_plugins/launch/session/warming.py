"""Whether, when and for whom a session keeps a warm process, from which Python programs start sooner."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, final

from horus_plugins.launch.environment import environment
from horus_plugins.launch.warm import starter
from horus_plugins.launch.warm.starter import Starter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from horus_plugins.launch.child import Process
    from horus_plugins.launch.pump import Pump
    from horus_plugins.launch.session.unit import Unit

_MANY = 5
"""So many programs are started sooner with a warm process than without: it costs about one start itself."""
_COMING_S = 10.0
_IDLE_S = 10.0


@final
class Warming:
    """The warm process of a session, if it has one. That it fails is said once, and never a node's failure."""

    def __init__(
        self, namespace: str, mark: Mapping[str, str], pump: Pump, say: Callable[[str], None]
    ) -> None:
        self._environment = {**environment(namespace), **mark}
        self._pump = pump
        self._say = say
        self._usable = starter.usable(self._environment)
        self._starter: Starter | None = None
        self._restarts = 0
        self._nodes: dict[tuple[str, ...], bool] = {}

    def begin(self, units: Iterable[Unit]) -> None:
        """Have one if so many of these are about to start that it pays."""
        if self._usable and sum(self._is_node(unit) for unit in units) >= _MANY:
            self._begin()

    def is_worth_waiting(self, unit: Unit) -> bool:
        """Whether the node had better be started a moment later, from a warm process that is not ready yet."""
        coming = self._starter
        if coming is None or coming.ready or not self._is_node(unit):
            return False
        return time.monotonic() - coming.born < _COMING_S

    def restarting(self, unit: Unit) -> None:
        """Take note that a node is to be restarted: where one is, there are more."""
        if self._is_node(unit):
            self._restarts += 1
            if self._restarts >= _MANY:
                self._begin()

    def start(self, command: Sequence[str], environment: Mapping[str, str], cwd: str) -> Process | None:
        """Start a program from the warm process; None: there is none, or not for this program."""
        warm = self._starter
        if warm is None or not warm.ready or not warm.fits(environment) or not starter.is_node(command, cwd):
            return None
        process = warm.start(command, environment, cwd)
        if warm.gone:
            self._give_up()
        return process

    def turn(self, ready: set[int]) -> None:
        """Hear what it says, and let it go when nobody has needed it for a while."""
        warm = self._starter
        if warm is None:
            return
        if warm.fd in ready:
            warm.heard()
            if warm.gone:
                self._give_up()
                return
        if time.monotonic() - warm.used > _IDLE_S:
            self.end()

    def stop(self) -> None:
        """Start nothing from it any more; end() waits for its end."""
        self._usable = False
        if self._starter is not None:
            self._pump.unwatch(self._starter.fd)
            self._starter.kill()

    def end(self) -> None:
        """Have none any more."""
        if self._starter is not None:
            self._pump.unwatch(self._starter.fd)
            self._starter.close()
            self._starter = None
        self._restarts = 0

    def _is_node(self, unit: Unit) -> bool:
        """Whether it is one to be started warm, as far as is known before its start."""
        key = (*unit.plan.command, unit.plan.cwd)
        if key not in self._nodes:
            self._nodes[key] = starter.is_node(unit.plan.command, unit.plan.cwd)
        return self._nodes[key]

    def _begin(self) -> None:
        if not self._usable or self._starter is not None:
            return
        try:
            self._starter = Starter(self._environment)
        except OSError as error:
            self._usable = False
            self._say(f"nodes start without a warm process: {error.strerror}")
            return
        self._pump.watch(self._starter.fd)

    def _give_up(self) -> None:
        words = self._starter.last_words if self._starter is not None else ""
        self.end()
        self._usable = False
        self._say(f"nodes start without the warm process from now on: it has ended{words and ': '}{words}")
