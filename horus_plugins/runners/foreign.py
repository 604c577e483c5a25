"""A stranger's runner, called with care: what it raises, or returns in place of a command line, is its error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from horus_core.abc import Runner
from horus_core.errors import HorusError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.plugins.group import Offer

_T = TypeVar("_T")


class ForeignRunner(Runner):
    """Does what the runner of a plugin does. Raises PluginError where that breaks its contract.

    Errors of HORUS, like the LaunchError that build() may raise, pass as they are.
    """

    def __init__(self, offer: Offer[Runner]) -> None:
        self._runner = offer.thing
        self._who = f"the runner {offer.name!r} of {offer.plugin.distribution} {offer.plugin.version}"
        self.name = offer.name  # type: ignore[misc]  # of a class elsewhere; this one is many runners'
        self.language = str(offer.thing.language)  # type: ignore[misc]
        self.files = bool(offer.thing.files)  # type: ignore[misc]

    def accepts(self, target: str) -> bool:
        """Whether it says so."""
        return bool(self._guarded("accepts", target, lambda: bool(self._runner.accepts(target))))

    def build(self, target: str) -> None:
        """Let it."""
        self._guarded("build", target, lambda: self._runner.build(target))

    def command(self, target: str) -> list[str]:
        """Its command line: a list with a program, all of it text that a process can be given."""
        words = self._guarded("command", target, lambda: self._runner.command(target))
        if not _is_command(words):
            raise PluginError(
                f"Running {target!r} failed: expected a list of texts, the program first, from command() of "
                f"{self._who}, got {words!r}. That is for its author to mend."
            )
        return list(words)

    def _guarded(self, method: str, target: str, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except HorusError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"Running {target!r} failed: {method}() of {self._who} raised {type(error).__name__}: {error}. "
                "That is for its author to mend; `horus --debug` shows where."
            ) from error


def _is_command(words: Any) -> bool:
    fits = isinstance(words, (list, tuple)) and all(isinstance(word, str) for word in words)
    return fits and bool(words) and bool(words[0]) and not any("\0" in word for word in words)
