"""A plugin: one entry point, who brings it, and what became of it. It is imported once a process, guarded."""

from __future__ import annotations

import os
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from horus_core.errors import PluginError
from horus_core.plugins import reasons, switches
from horus_core.plugins.metadata import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

FOUND = "found"
LOADING = "loading"
LOADED = "loaded"
FAILED = "failed"
DISABLED = "disabled"

BOX = "horus-core"
"""The distribution that HORUS itself is."""

uses: dict[str, Callable[[Plugin], None]] = {}
"""By group: what is done with a plugin when it has been imported. Raising makes it a failed one."""

_mutex = threading.Lock()
_waiting: dict[int, Plugin] = {}
"""By thread: the plugin that another thread imports for it."""
_importing: set[Plugin] = set()


def say(text: str, *, failed: bool = True) -> None:
    """Say it in the log, which is a line on stderr where nobody has set up another."""
    import logging  # noqa: PLC0415 - `horus --help` must not pay for it

    logging.getLogger("horus.plugins").log(logging.ERROR if failed else logging.WARNING, "%s", text)


def is_importing() -> bool:
    """Whether this thread is importing a plugin."""
    return any(plugin.imported_by(threading.get_ident()) for plugin in tuple(_importing))


class Plugin:
    """One entry point. `state` is found, loading, loaded, failed or disabled."""

    def __init__(self, group: str, name: str, value: str, distribution: str, version: str) -> None:
        self.group = group
        self.name = name
        self.value = value
        self.distribution = distribution
        self.version = version
        self.state = FOUND
        self.target: Any = None
        """What the entry point names, once it is imported."""
        self.gave: list[str] = []
        """The names of what it has contributed."""
        self.error: str | None = None
        """Why it failed, in one line."""
        self.cause: BaseException | None = None
        self.notes: list[str] = []
        """What is wrong though it works."""
        self.disabled_by: str | None = None
        """Why it may not be used, and what to do about it."""
        self.load_s: float | None = None
        self._loader: int | None = None
        self._ended = threading.Event()
        self._quiet = False

    def __repr__(self) -> str:
        return f"<plugin {self.source}: {self.group} {self.name} = {self.value}>"

    def __str__(self) -> str:
        return f"{self.source} ({self.group}: {self.name})"

    @property
    def source(self) -> str:
        """Who brings it: distribution and version, or the file of a one-file plugin."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def module(self) -> str:
        """The module that the entry point names."""
        return self.value.partition(":")[0].strip()

    def names(self) -> set[str]:
        """What the user may call it, in canonical form."""
        return {canonical(self.distribution), canonical(self.name)}

    @property
    def is_box(self) -> bool:
        """Whether it comes with HORUS itself."""
        return self.distribution == BOX

    def load(self) -> Any:
        """Import it, if nobody has yet, and return what the entry point names.

        Raises PluginError, with what it raised as the cause, when that fails or has failed before.
        """
        self.be_quiet()  # the error says it
        self.prepare()
        if self.state != LOADED:
            raise self.failure()
        return self.target

    def failure(self) -> PluginError:
        """The error that says why this plugin is of no use."""
        if self.state == DISABLED:
            return PluginError(
                f"Loading {self} failed: it is disabled. {reasons.ended(self.disabled_by or '')}"
            )
        why = self.error or "its import has not ended"
        error = PluginError(
            f"Loading {self} failed: {reasons.ended(why)} `horus plugin info {self.distribution}` tells more."
        )
        error.__cause__ = self.cause
        return error

    def decide(self, disabled_by: str | None) -> None:
        """Disable it, and say by what and what to do about it, or enable it again; what is loaded is not undone."""
        self.disabled_by = disabled_by
        if self.state in {FOUND, DISABLED}:
            self.state = FOUND if disabled_by is None else DISABLED

    def be_quiet(self) -> None:
        """Say nothing when it fails: whoever asks says it."""
        self._quiet = True

    def prepare(self, patience_s: float | None = None) -> bool:
        """Import it and take what it gives, once a process; return whether that has ended, well or not.

        With `patience_s`, seconds, it is imported on a thread of its own, which goes on when the time is up. A plugin
        that asks for itself while it is imported, by whatever detour, gets False at once. Raises PluginError for a
        failed one if HORUS_STRICT says so.
        """
        with _mutex:
            if self.state == DISABLED:
                return True
            mine = self._loader is None
            if mine:
                self._loader = threading.get_ident() if patience_s is None else 0
            elif not self._ended.is_set() and self._leads_here():
                return False
        if mine and patience_s is None:
            self._run()
        elif mine:
            threading.Thread(target=self._run_apart, name=f"horus plugin {self.name}", daemon=True).start()
        ended = self._wait(patience_s)
        if self.state == FAILED and switches.is_strict():
            raise self.failure()
        return ended

    def note(self, text: str) -> None:
        """Say on stderr, and keep for `horus plugin`, what is wrong though the plugin works."""
        if text not in self.notes:
            self.notes.append(text)
            say(f"{self}: {text}", failed=False)

    def fail(self, error: BaseException) -> None:
        """Note that it failed, and why; said once on stderr."""
        self.state, self.cause, self.error = FAILED, error, reasons.reason(error, self)
        if not (self._quiet or switches.is_strict()):
            say(f"{self} failed: {self.error}")

    def imported_by(self, thread: int) -> bool:
        """Whether it is that thread which imports it, or has."""
        return self._loader == thread

    def forget_other_thread(self) -> None:
        """In a forked child: start anew what a thread of the parent was importing."""
        if self._loader != threading.get_ident():
            self._forget()

    def _leads_here(self) -> bool:
        """Whether who imports it waits, over others perhaps, for this thread."""
        thread = self._loader
        while thread is not None and thread != threading.get_ident():
            next_one = _waiting.get(thread)
            thread = next_one._loader if next_one is not None else None  # noqa: SLF001 - its own kind
        return thread is not None

    def _wait(self, patience_s: float | None) -> bool:
        if self._ended.is_set():
            return True
        me = threading.get_ident()
        with _mutex:
            _waiting[me] = self
        try:
            return self._ended.wait(patience_s)
        finally:
            with _mutex:
                _waiting.pop(me, None)

    def _run_apart(self) -> None:
        with _mutex:
            self._loader = threading.get_ident()
        self._run()

    def _run(self) -> None:
        self.state = LOADING
        _importing.add(self)
        switches.trace(f"importing {self}")
        start = time.perf_counter()
        try:
            self.target = self._import()
            reasons.check_api(sys.modules.get(self.module))
            use = uses.get(self.group)
            if use is not None:
                use(self)
            self.state = LOADED
        except KeyboardInterrupt:  # the next one who asks starts anew
            self._forget()
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may even call sys.exit() when imported
            self.fail(error)
        self.load_s = time.perf_counter() - start
        switches.trace(self._outcome())
        _importing.discard(self)
        self._ended.set()

    def _import(self) -> Any:
        _, _, attributes = self.value.partition(":")
        found: Any = import_module(self.module)
        for part in filter(None, attributes.strip().split(".")):
            found = getattr(found, part)
        return found

    def _outcome(self) -> str:
        took = f"in {(self.load_s or 0) * 1e3:.1f} ms"
        if self.error is not None:
            return f"{self} failed {took}: {self.error}"
        return f"{self} loaded {took}; it gave {', '.join(self.gave) or 'nothing by name'}"

    def _forget(self) -> None:
        with _mutex:
            ended, self._ended = self._ended, threading.Event()
            self.state, self._loader = FOUND, None
            self.gave.clear()
            _importing.discard(self)
            ended.set()


def _forget_threads_of_parent() -> None:
    """In a forked child: the threads that imported are not here."""
    global _mutex  # noqa: PLW0603 - a thread of the parent may hold it
    _mutex = threading.Lock()
    _waiting.clear()
    for plugin in list(_importing):
        plugin.forget_other_thread()


os.register_at_fork(after_in_child=_forget_threads_of_parent)
