"""The parameters of the running processes of a namespace, asked for and set over control topics.

Each process has one set of parameters, whatever number of schedulers it runs: one of these is asked. One that runs
none answers itself, as do the processes of nodes with compute="process".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core.errors import HorusError, HorusTimeoutError, NodeError, ParamError, RegionError
from horus_core.plugins.reasons import nearest
from horus_core.text import plain_name
from horus_plugins.monitor import answerers, control, schedulers

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S = 2.0
_MOST_AT_ONCE = 16


class Param(msgspec.Struct):
    """A parameter of one process, as it is there now."""

    name: str
    value: Any
    type: str
    """As it was declared, or the type of the default that get() was given; empty where neither says."""
    unit: str
    doc: str
    default: Any
    min: float | None
    max: float | None
    choices: list[Any] | None
    layer: str
    """`set`, `argument`, `environment`, `file` or `default`."""
    origin: str
    """Who gave the value: the variable, the file with its line, who set it."""
    declared: bool
    asked: bool
    """Whether code in that process has ever read it."""
    fixed: bool
    """A packaged node was made with it: it cannot be set while the node runs."""
    nodes: list[str]
    """Which nodes declared it, or were made with it; none where that is not known."""
    scheduler: str = ""
    """Who answered: a scheduler of the process, or the process itself."""
    pid: int = 0


class Silent(msgspec.Struct):
    """A process that gave no answer."""

    scheduler: str
    pid: int
    why: str


class ParamList(msgspec.Struct):
    """What `horus param list` and `get` show."""

    namespace: str
    params: list[Param]
    silent: list[Silent]
    unreadable: dict[str, str] = {}
    """What cannot be read, and why: processes may be missing."""


class Refusal(msgspec.Struct):
    """A process that did not do as it was asked."""

    scheduler: str
    pid: int
    why: str
    names: dict[str, str] = {}
    """Of several parameters those that it refused, and why."""


class Outcome(msgspec.Struct):
    """What became of a change: as each process has it now, who refused it, and who gave no answer."""

    namespace: str
    taken: list[Param]
    refused: list[Refusal]
    silent: list[Silent]
    unreadable: dict[str, str] = {}
    """What cannot be read, and why: processes may not have been asked."""


class Process(msgspec.Struct):
    """A process that has parameters, by one of its schedulers or by its own name."""

    namespace: str
    scheduler: str
    pid: int
    nodes: list[str]
    by_itself: bool = False
    """Whether it has no scheduler that answers."""

    def known(self) -> list[Param]:
        """All its parameters; raises what control.ask raises.

        Where shared memory has no room for all of them at once, one after the other.
        """
        try:
            return self.ask("GetParams")
        except control.RefusalError as error:
            if not error.answer.get("no_room"):
                raise
        found: list[Param] = []
        count = 1
        while len(found) < count:
            answer = self._asked("GetParams", {"first": len(found), "most": 1})
            some = self._params(answer)
            if not some:
                break
            found += some
            count = answer.get("count", 0)
        return found

    def ask(self, cmd: str, **fields: Any) -> list[Param]:
        """The parameters that it answers with; raises what control.ask raises."""
        return self._params(self._asked(cmd, fields))

    def _asked(self, cmd: str, fields: dict[str, Any]) -> dict[str, Any]:
        if self.by_itself:
            return control.ask_process(
                self.namespace, self.scheduler, self.pid, cmd, timeout_s=TIMEOUT_S, **fields
            )
        return control.ask(self.namespace, self.scheduler, cmd, timeout_s=TIMEOUT_S, **fields)

    def _params(self, answer: dict[str, Any]) -> list[Param]:
        try:
            found = msgspec.convert(answer.get("params", []), list[Param])
        except msgspec.ValidationError as error:
            raise control.RefusalError(
                f"Asking {self.scheduler!r} failed: expected parameters, got {error} (pid={self.pid}). "
                f"Is it of another version of HORUS?"
            ) from None
        for param in found:
            param.scheduler, param.pid = self.scheduler, self.pid
        return found


def processes(namespace: str, node: str | None = None) -> list[Process]:
    """The processes of a namespace that have parameters; those of one node, scheduler or script alone.

    Raises NodeError where there is none.
    """
    found, names = _running(namespace, node)
    if found:
        return found
    if node is not None and names:
        raise NodeError(
            f"Asking for parameters failed: expected one of {', '.join(sorted(names))}, got {node!r} "
            f"(namespace={namespace!r}).{nearest(node, names)}"
        )
    raise NodeError(
        f"Asking for parameters failed: expected a process that runs nodes or uses RuntimeParams, got none "
        f"(namespace={namespace!r}).{elsewhere(namespace)} Parameters live in the processes that use them, and those "
        f"under HORUS_BACKEND=local are seen by nobody. For one that is to start, set HORUS_PARAM_NAME=value, or a "
        f"line under [params] of horus.toml."
    )


def elsewhere(namespace: str) -> str:
    """A hint at the user's namespaces in which something runs, if this is not the one that was meant."""
    others = list(schedulers.running_elsewhere(namespace))
    return f" Something runs in {', '.join(others)}: --namespace {others[0]}." if others else ""


def _running(namespace: str, node: str | None) -> tuple[list[Process], set[str]]:
    """(the processes that have that name or node, the names that could have been meant)."""
    by_member: dict[tuple[int, int], Process] = {}
    names: set[str] = set()
    with_scheduler: set[tuple[int, int]] = set()
    for record in schedulers.schedulers(namespace)[0]:
        if record.look() != schedulers.RUNNING:
            continue
        nodes = [str(row["name"]) for row in record.rows()]
        names |= {record.name, *nodes}
        with_scheduler.add((record.header["ident"], record.header["pid"]))
        if node is None or node == record.name or node in nodes:
            key = record.header["ident"], record.header["pid"]
            one = by_member.setdefault(key, Process(namespace, record.name, record.header["pid"], []))
            one.nodes += nodes
    for answerer in answerers.answerers(namespace)[0]:
        script = answerer.name.rpartition(f".{answerer.pid}")[0]
        if (answerer.ident, answerer.pid) not in with_scheduler:
            names |= {answerer.name, script, *answerer.nodes}
        if node is None or node in (answerer.name, script, *answerer.nodes):
            by_member.setdefault(
                (answerer.ident, answerer.pid),
                Process(namespace, answerer.name, answerer.pid, answerer.nodes, by_itself=True),
            )
    return sorted(by_member.values(), key=lambda one: one.scheduler), names


def listed(namespace: str, node: str | None = None) -> ParamList:
    """All parameters of all its processes, by name. Raises NodeError for a node that is not there."""
    asked = _running(namespace, None)[0] if node is None else processes(namespace, node)
    found, refused, silent = ask_all(asked, Process.known)
    silent += [Silent(one.scheduler, one.pid, one.why) for one in refused]
    return ParamList(namespace, found, silent, unreadable(namespace))


def unreadable(namespace: str) -> dict[str, str]:
    """Records by which processes would be found, of another version maybe, that cannot be read, and why."""
    records = {
        f"the record of scheduler {name!r}": why for name, why in schedulers.schedulers(namespace)[1].items()
    }
    files = {
        f"the file {name!r} of a process": why for name, why in answerers.answerers(namespace)[1].items()
    }
    return {plain_name(name): plain_name(why) for name, why in {**records, **files}.items()}


def of_name(namespace: str, name: str, node: str | None = None) -> ParamList:
    """One parameter, of each process that knows it; raises ParamError, with the nearest, where none does."""
    processes(namespace, node)
    found = listed(namespace, node)
    params = [param for param in found.params if param.name == name]
    if not params:
        _refuse_unknown(name, found)
    return ParamList(namespace, params, found.silent, found.unreadable)


def change(
    namespace: str, cmd: str, name: str, node: str | None = None, *, new: bool = False, **fields: Any
) -> Outcome:
    """Have SetParam or DeleteParam done by each process that reads the parameter; `new`: by all.

    Raises ParamError, with the nearest name, where none does.
    """
    asked = processes(namespace, node)
    known, refused, silent = ask_all(asked, Process.known)
    mine = {param.pid for param in known if param.name == name and (param.asked or cmd != "SetParam")}
    silenced = {one.pid for one in silent}
    wanted = [one for one in asked if one.pid not in silenced and (new or one.pid in mine)]
    if not wanted and not refused:
        _refuse_unknown(name, ParamList(namespace, known, silent))
    if cmd == "SetParam":
        fields["new"] = new
    taken, more, late = ask_all(wanted, lambda process: process.ask(cmd, name=name, **fields))
    return Outcome(namespace, taken, [*refused, *more], [*silent, *late], unreadable(namespace))


def _refuse_unknown(name: str, found: ParamList) -> None:
    unread = [param for param in found.params if param.name == name]
    if unread:
        raise ParamError(
            f"Unknown parameter: expected one that code reads, got {name!r}, which {unread[0].origin} gives a value "
            f"and nothing has read (namespace={found.namespace!r}). `--new` sets it nevertheless."
        )
    if found.silent:
        silent = ", ".join(f"{one.scheduler} (pid {one.pid})" for one in found.silent)
        raise HorusTimeoutError(
            f"Looking for parameter {name!r} failed: expected an answer of each process, got none from {silent}, and "
            f"the others do not know it (namespace={found.namespace!r}). {found.silent[0].why}"
        )
    names = {param.name for param in found.params}
    known = (
        f"one of {', '.join(sorted(names))}"
        if names
        else "one that a process declares or reads, and there is none"
    )
    raise ParamError(
        f"Unknown parameter: expected {known}, got {name!r} (namespace={found.namespace!r}).{nearest(name, names)}"
    )


def ask_all(
    asked: list[Process], ask: Callable[[Process], list[Param]]
) -> tuple[list[Param], list[Refusal], list[Silent]]:
    """Ask them side by side: who is silent holds up nobody."""
    found: list[Param] = []
    refused: list[Refusal] = []
    silent: list[Silent] = []

    def one(process: Process) -> None:
        try:
            found.extend(ask(process))
        except RegionError:  # nobody was asked: it is our end of the topic that cannot be made
            raise
        except HorusTimeoutError as error:
            silent.append(Silent(process.scheduler, process.pid, str(error)))
        except HorusError as error:
            names = getattr(error, "answer", {}).get("refused", {})
            refused.append(Refusal(process.scheduler, process.pid, str(error), names))

    if len(asked) == 1:
        one(asked[0])
    elif asked:
        with ThreadPoolExecutor(min(len(asked), _MOST_AT_ONCE)) as pool:
            list(pool.map(one, asked))
    found.sort(key=lambda param: (param.name, param.scheduler, param.nodes))
    return found, sorted(refused, key=_by_scheduler), sorted(silent, key=_by_scheduler)


def _by_scheduler(one: Refusal | Silent) -> str:
    return one.scheduler
