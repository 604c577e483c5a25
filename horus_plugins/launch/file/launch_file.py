"""A launch file in Python's hands: read and checked by load(), made into a Plan by its plan()."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core import names
from horus_core.shm import namespace as namespaces
from horus_plugins.launch.file import declared, making, order
from horus_plugins.launch.file.expanding import Context, Expander, TooMany
from horus_plugins.launch.file.nodes import LaunchNode, name_of, node
from horus_plugins.launch.file.parameters import PARAM
from horus_plugins.launch.file.plan import Plan, StopTimes
from horus_plugins.launch.file.problems import Place, Problems, nearest, shown
from horus_plugins.launch.file.programs import Programs
from horus_plugins.launch.file.substitution import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from horus_plugins.launch.session.background import Running


class Choice(NamedTuple):
    """What is chosen when a file is launched: LaunchFile.plan says what each means."""

    namespace: str | None = None
    session: str | None = None
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()


class LaunchFile:
    """A launch file that was read. Its nodes are in the order of the file, those of a plan in that of their start."""

    def __init__(self, path: str | Path, environ: Mapping[str, str], problems: Problems) -> None:
        self.path = Path(os.path.realpath(path))
        self._shown = str(path)
        try:
            head, self._drafts = Expander(problems).file(Context(self.path, self._shown, Scope(environ)))
        except TooMany:
            head, self._drafts = {}, []
        stop = head.get("stop")
        self.session: str = head.get("session") or names.as_node_name(self.path.stem) or "launch"
        self.namespace: str | None = head.get("namespace")
        """As the file says; a plan's may be another."""
        self.stop = StopTimes(graceful_s=stop.graceful, terminate_s=stop.terminate) if stop else StopTimes()
        self.nodes: tuple[LaunchNode, ...] = tuple(self._made({}, problems).values())

    def __repr__(self) -> str:
        return f"<LaunchFile {self._shown!r}: session {self.session!r}, {len(self.nodes)} nodes>"

    def plan(
        self,
        *,
        namespace: str | None = None,
        session: str | None = None,
        only: Iterable[str] = (),
        exclude: Iterable[str] = (),
        sets: Iterable[str] = (),
    ) -> Plan:
        """The processes to start, in order.

        `only` are names or patterns (`r1.*`): those nodes and all that they depend on; `exclude` leaves nodes out,
        and nobody waits for them. `sets` are parameters, `node.name=value`, the values as JSON or else text. The
        namespace is that which is given, else the file's, else this process's.

        Raises LaunchError with all problems: programs and packages that are not there, names that are none.
        """
        problems = Problems(self._shown)
        plan = self.planned(problems, Choice(namespace, session, tuple(only), tuple(exclude), tuple(sets)))
        problems.check()
        return plan

    def start(self, *, log_dir: str = "", **choice: Any) -> Running:
        """Start plan(**choice) in a launcher process of its own, from any thread; `horus.launch.start` says more.

        Raises LaunchError with all problems, like plan().
        """
        from horus_plugins.launch.session.background import start  # noqa: PLC0415 - who only reads needs none

        return start(self.plan(**choice), log_dir=log_dir)

    def planned(self, problems: Problems, choice: Choice, *, look_into: bool = False) -> Plan:
        """The same, with what is wrong noted among the problems: the plan is good if there are none.

        With `look_into` packages whose nodes get parameters are imported, elsewhere, for what they declare.
        """
        where = choice.namespace or self.namespace or namespaces.current()
        values = self._sets(choice.sets, problems)
        nodes = self._made(values, problems) if choice.sets else {one.name: one for one in self.nodes}
        kept, warnings = _chosen(nodes, choice, problems)
        programs = Programs(problems)
        ordered = order.ordered({name: one for name, one in nodes.items() if name in kept})
        if not choice.only and not choice.exclude:  # what is wrong with the rest is to be told, too
            for one in self._others:
                making.planned(one, where, programs, problems)
        planned = [making.planned(one, where, programs, problems) for one in ordered]
        said = declared.check(ordered, problems) if look_into else []
        return Plan(
            session=names.node_name(choice.session or self.session),
            namespace=names.namespace_name(where),
            file=str(self.path),
            nodes=tuple(making.without(one, kept) for one in planned if one is not None),
            stop=self.stop,
            places={one.name: one.place("name").short for one in ordered},
            warnings=(*warnings, *making.warnings(ordered), *said),
        )

    def _made(self, sets: Mapping[str, Mapping[str, Any]], problems: Problems) -> dict[str, LaunchNode]:
        named = [(name_of(draft, problems), draft) for draft in self._drafts]
        made = [node(draft, sets.get(name or "", {}), problems) for name, draft in named]
        found = order.unique(made, problems)
        self._others = [one for one in made if found.get(one.name) is not one]
        linked = order.linked(found, [name for name, _ in named if name], problems)
        order.check_cycles(linked, problems)
        return linked

    def _sets(self, words: Iterable[str], problems: Problems) -> dict[str, dict[str, Any]]:
        """Values by node and parameter, of `node.param=value`: the longest name of a node that fits is meant."""
        known = {one.name for one in self.nodes}
        found: dict[str, dict[str, Any]] = {}
        for word in words:
            key, equals, text = word.partition("=")
            place = Place(f"--set {key}{equals}{text}", 0, 0)
            parts = key.split(".")
            splits = [(".".join(parts[:at]), ".".join(parts[at:])) for at in range(len(parts) - 1, 0, -1)]
            who, param = next((one for one in splits if one[0] in known), ("", ""))
            if not equals or not splits:
                problems.add(place, "expected node.param=value.")
            elif not who:
                problems.add(
                    place, f"expected a node, got {shown(splits[0][0])}.{nearest(splits[0][0], known)}"
                )
            elif not PARAM.fullmatch(param):
                problems.add(place, f"expected a name of letters, digits and _ . -, got {shown(param)}.")
            else:
                found.setdefault(who, {})[param] = _value(text)
        return found


def load(path: str | Path, *, environ: Mapping[str, str] | None = None) -> LaunchFile:
    """Read a launch file with all that it includes; nothing is started.

    `environ` is what `${NAME}` refers to, else this process's environment. Raises LaunchError with all that is wrong
    with it, each problem with file, line and column.
    """
    problems = Problems(str(path))
    file = LaunchFile(path, os.environ if environ is None else environ, problems)
    problems.check()
    return file


def plan(path: str | Path, choice: Choice, *, look_into: bool = False) -> Plan:
    """Read a launch file and plan it: load(path).plan(...), with the problems of both in one LaunchError.

    `look_into`: before a start, parameters are held against what packages declare, too.
    """
    problems = Problems(str(path))
    made = LaunchFile(path, os.environ, problems).planned(problems, choice, look_into=look_into)
    problems.check()
    return made


def _chosen(nodes: dict[str, LaunchNode], choice: Choice, problems: Problems) -> tuple[set[str], list[str]]:
    """The names of those that are to run, and what is to be said of them."""
    wanted = _matching("--only", choice.only, nodes, problems)
    kept = order.with_dependencies(wanted, nodes) if choice.only else set(nodes)
    left_out = set(_matching("--except", choice.exclude, nodes, problems))
    kept -= left_out
    if not kept and not problems:
        problems.add(Place("--only and --except", 0, 0), "expected at least one node to be left, got none.")
    said = [
        f"{name} does not wait for {one.node}, which is left out."
        for name, node in nodes.items()
        if name in kept
        for one in node.depends_on
        if one.node in left_out
    ]
    return kept, said


def _matching(option: str, words: Iterable[str], nodes: Iterable[str], problems: Problems) -> list[str]:
    known = list(nodes)
    found: list[str] = []
    for word in (part for one in words for part in one.split(",")):
        these = order.matching(word, known)
        if not these:
            problems.add(
                Place(option, 0, 0), f"expected a node of the file, got {shown(word)}.{nearest(word, known)}"
            )
        found += these
    return found


def _value(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text
    return text if value is None else value


def _no_constant(word: str) -> None:
    raise ValueError(word)
