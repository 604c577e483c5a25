"""The parameters of this process: one store for all RuntimeParams objects, for tools and for packaged nodes.

Set at runtime > `horus run --param` > environment > file > the default of the code. Reading takes no lock. User code,
validators and callbacks, is never called with a lock held.
"""

from __future__ import annotations

import copy
import difflib
import enum
import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from horus_core import names
from horus_core.errors import InvalidNameError, ParamError
from horus_core.params import env, files
from horus_core.params.handle import ARGUMENT, DEFAULT, ENVIRONMENT, FILE, SET, RuntimeParam, Watcher, checked
from horus_core.params.values import SCALARS, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from horus_core.params.env import Given

ABSENT: Any = object()
"""No value."""
_log = logging.getLogger("horus")


class RefusedError(ParamError):
    """What was to be set and is refused: why, by name."""

    def __init__(self, refused: dict[str, str]) -> None:
        super().__init__(refused)
        self.refused = refused

    def __str__(self) -> str:
        return "\n".join(self.refused.values())

    @property
    def answer(self) -> dict[str, Any]:
        """What an answer on a control topic says besides."""
        return {"refused": self.refused}


def _always() -> None:
    pass


class Store:
    """What is known of each parameter."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        """What get() reads without a lock: values that cannot be changed in place, and no defaults of get()."""
        self.arguments: dict[str, Given] = {}
        """What the command line gave the packaged nodes of this process."""
        self._known: dict[str, RuntimeParam[Any]] = {}
        self._file: dict[str, Given] | None = None
        self._lock = threading.Lock()

    # Reading

    def load(self) -> dict[str, Given]:
        """The file's values, read once; the environment is checked, too.

        Raises ParamError or ConfigError for what is wrong there.
        """
        if self._file is None:
            env.names()
            self._file = files.read()
        return self._file

    def given(self, name: str) -> tuple[str, Given | None]:
        """What counts where nothing was set at runtime: from where, and what."""
        if name in self.arguments:
            return ARGUMENT, self.arguments[name]
        from_environment = env.find(name)
        if from_environment is not None:
            return ENVIRONMENT, from_environment
        from_file = self.load().get(name)
        return (DEFAULT, None) if from_file is None else (FILE, from_file)

    def find(self, name: str) -> RuntimeParam[Any] | None:
        """The parameter, if anybody declared it, asked for it, set it, or the environment or the file has it."""
        found = self._known.get(name)
        if found is None:
            layer, given = self.given(name)
            if given is not None:
                found = self._enter(name, Rules(), layer, given)
        return found

    def ask(self, name: str) -> RuntimeParam[Any] | None:
        """The same, for code that uses it."""
        param = self.find(name)
        if param is not None and not param.asked:
            with self._lock:
                param.asked = True
                self._publish(param)
        return param

    def get(self, name: str, default: Any) -> Any:
        """What RuntimeParams.get() returns when `values` does not have it as the default's type."""
        param = self._known.get(name)
        if param is None or not param.asked:
            names.param_name(name)
            param = self.ask(name) or self._enter(name, _rules_of(default), DEFAULT, None)
        if param.declared:
            return copied(param.value)
        if param.layer == DEFAULT:  # of another call of get(): each has its own
            if param.rules.default is None and default is not None:
                self._remember_default(param, default)
            return default
        return copied(self._as_asked(param, default))

    def _remember_default(self, param: RuntimeParam[Any], default: Any) -> None:
        """The first one stands for all, for tools."""
        with self._lock:
            if not param.declared and param.layer == DEFAULT:
                param.rules = _rules_of(default)
                param.put(default, DEFAULT, None)
                param.told = param.changed

    def _as_asked(self, param: RuntimeParam[Any], default: Any) -> Any:
        """The value as the type of the default that get() was given: what nobody declared, this declares."""
        rules, given = _rules_of(default), param.given
        if rules.type in (Any, param.rules.type) or given is None:
            return param.value
        value = rules.convert(param.name, given)
        with self._lock:
            if param.rules.type is Any and param.given is given:  # else others ask for it as something else
                param.rules = rules
                self._put(param, value, param.layer, given)
                param.told = param.changed
        return value

    def known(self) -> list[RuntimeParam[Any]]:
        """All, by name: also what the environment and the file give and nobody has asked for."""
        for name in (*self.load(), *env.names()):
            with suppress(ParamError, InvalidNameError):  # who asks for it is told
                if not any(env.variable(one) == env.PREFIX + name.upper() for one in list(self._known)):
                    self.find(names.param_name(name))
        return [param for _, param in sorted(self._known.copy().items())]

    # Declaring

    def declare(
        self, name: str, rules: Rules, watcher: Watcher, *, required: bool = False
    ) -> RuntimeParam[Any]:
        """Make it known with its rules; again, with the same rules, adds who wants to be asked and told.

        Raises ParamError when what is given, or the default, breaks the rules, or others declared it otherwise.
        """
        names.param_name(name)
        if rules.default is not None:
            rules = rules._replace(default=rules.convert(name, _the_default(rules)))
        while True:
            found = self._known.get(name)
            again = found is not None and found.declared
            if found is not None and again:
                _refuse_other(found, rules)
            layer, given = self.given(name) if found is None else (found.layer, found.given)
            if given is None and required:
                raise ParamError(
                    f"Missing parameter {name!r}: expected a value ({rules.type_name}), for it has no default, got "
                    f"none. Give one: {env.variable(name)}=..., or a line under [params] of horus.toml."
                )
            value = checked(name, rules, (watcher,), given)
            with self._lock:
                if self._known.get(name) is not found or (found is not None and found.given is not given):
                    continue  # another thread declared or set it meanwhile
                param = found or RuntimeParam(self, name, rules)
                if not again:
                    param.rules, param.declared, param.asked = rules, True, True
                    self._known[name] = param
                    self._put(param, value, layer, given)
                    param.told = param.changed
                _watch(param, watcher)
                return param

    # Setting

    def set(self, name: str, given: Given) -> RuntimeParam[Any]:
        """Set it; raises ParamError when it is refused, for its name, too."""
        return self.set_all({name: given})[0]

    def set_all(
        self, wanted: dict[str, Given], confirm: Callable[[], None] = _always
    ) -> list[RuntimeParam[Any]]:
        """Set all of them or none: first all are checked.

        `confirm` may raise at the last moment, under the lock; then nothing is set. Raises ParamError with everything
        that is refused, a line each.
        """
        values = self.check_all(wanted)
        with self._lock:
            confirm()
            params: list[RuntimeParam[Any]] = [
                self._put(
                    self._known.setdefault(name, RuntimeParam(self, name, Rules())), values[name], SET, given
                )
                for name, given in wanted.items()
            ]
        for param in params:
            self._tell(param)
        return params

    def check_all(self, wanted: dict[str, Given]) -> dict[str, Any]:
        """The values that would be set; raises ParamError with everything that is refused, a line each."""
        values, refused = {}, {}
        for name, given in wanted.items():
            try:
                param = self.find(names.param_name(name))
                rules, watchers = (Rules(), ()) if param is None else (param.rules, param.watchers)
                values[name] = checked(name, rules, watchers, given)
            except (ParamError, InvalidNameError) as error:  # noqa: PERF203 - all that is refused is told at once
                refused[name] = str(error)
        if refused:
            raise RefusedError(refused)
        return values

    def delete(self, name: str, confirm: Callable[[], None] = _always) -> bool:
        """Forget what was set: back to environment, file or default. False where nothing was set.

        Raises ParamError when a validator refuses what it would go back to.
        """
        param = self._known.get(name)
        if param is None or param.layer != SET:
            return False
        layer, given = self.given(name)
        value = checked(name, param.rules, param.watchers, given)
        with self._lock:
            confirm()
            self._put(param, value, layer, given)
            if layer == DEFAULT and not param.asked:
                self._known.pop(name, None)
        self._tell(param)
        return True

    def nearest(self, name: str) -> list[str]:
        """The known name that is nearest to this one, if any is near."""
        return difflib.get_close_matches(name, [param.name for param in self.known()], n=1)

    # Inside

    def _enter(self, name: str, rules: Rules, layer: str, given: Given | None) -> RuntimeParam[Any]:
        param: RuntimeParam[Any] = RuntimeParam(self, name, rules)
        param.asked = given is None
        value = rules.default if given is None else rules.convert(name, given)
        with self._lock:
            if self._known.setdefault(name, param) is param:
                self._put(param, value, layer, given)
                param.told = param.changed
            return self._known[name]

    def _put(
        self, param: RuntimeParam[Any], value: Any, layer: str, given: Given | None
    ) -> RuntimeParam[Any]:
        param.put(value, layer, given)
        self._publish(param)
        return param

    def _publish(self, param: RuntimeParam[Any]) -> None:
        """Let get() have it without asking: never before somebody asked, else it would not be known that one did."""
        given = param.declared or param.layer != DEFAULT
        if given and param.asked and _stays(param.value):
            self.values[param.name] = param.value
        else:
            self.values.pop(param.name, None)

    def _tell(self, param: RuntimeParam[Any]) -> None:
        """Call back who wants to know of changes, one call at a time and the newest value last.

        While one thread is at it, others leave theirs to it, as does a callback that sets the parameter itself.
        """
        with self._lock:
            if param.telling:
                return
            param.telling = True
        try:
            while self._is_news(param):
                for watcher in param.watchers:
                    _call(param, watcher)
        except BaseException:  # Ctrl+C in a callback
            param.telling = False
            raise

    def _is_news(self, param: RuntimeParam[Any]) -> bool:
        with self._lock:
            if param.told == param.changed:
                param.telling = False
                return False
            param.told = param.changed
            return True

    def renew_lock(self) -> None:
        """In a forked child another thread of the parent may have held it."""
        self._lock = threading.Lock()
        for param in self._known.values():
            param.telling = False


def _call(param: RuntimeParam[Any], watcher: Watcher) -> None:
    if watcher.on_change is None:
        return
    try:
        watcher.on_change(param.value)
    except Exception:  # noqa: BLE001 - the value stands; who set it is not to blame
        who = f"node {watcher.owner!r}" if watcher.owner else "this process"
        _log.exception(
            "on_change of parameter %r of %s failed; the value stays %r", param.name, who, param.value
        )


def _watch(param: RuntimeParam[Any], watcher: Watcher) -> None:
    """A node that declares again, after a restart maybe, takes the place of what it declared before."""
    others: Iterable[Watcher] = param.watchers
    if watcher.owner:
        others = [one for one in others if one.owner != watcher.owner]
    param.watchers = (*(one for one in others if one != watcher), watcher)


def _refuse_other(param: RuntimeParam[Any], rules: Rules) -> None:
    differing = [
        f"{key}={getattr(param.rules, key)!r}, got {getattr(rules, key)!r}"
        for key in ("type", "default", "unit", "min", "max", "choices")
        if getattr(param.rules, key) != getattr(rules, key)
    ]
    if differing:
        owners = ", ".join(repr(one.owner) for one in param.watchers if one.owner)
        by = f" by node {owners}" if owners else ""
        raise ParamError(
            f"Declaring parameter {param.name!r} failed: it is declared already{by}, "
            f"expected {'; '.join(differing)}. Declare it alike everywhere in a process, or use another name."
        )


def _rules_of(default: Any) -> Rules:
    """What a default that get() was given says."""
    return Rules(type(default) if type(default) in (*SCALARS, list, dict) else Any, default)


def _the_default(rules: Rules) -> Given:
    return env.Given(rules.default, "its default")


def copied(value: Any) -> Any:
    """The value; of what can be changed in place a copy."""
    return value if _stays(value) else copy.deepcopy(value)


def _stays(value: Any) -> bool:
    """Whether it cannot be changed in place."""
    return type(value) in SCALARS or isinstance(value, enum.Enum)


STORE = Store()
"""This process's."""

os.register_at_fork(after_in_child=STORE.renew_lock)
