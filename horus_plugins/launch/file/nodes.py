"""The nodes of a launch file: each with its parameters and environment, everything in it replaced and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from msgspec import UNSET

from horus_core import names
from horus_core.errors import InvalidNameError
from horus_plugins.launch.file import format as spec
from horus_plugins.launch.file.checking import check
from horus_plugins.launch.file.command_line import words
from horus_plugins.launch.file.parameters import Params, environment, text
from horus_plugins.launch.file.plan import Dependency, RestartPolicy
from horus_plugins.launch.file.problems import shown
from horus_plugins.launch.file.substitution import Scope, substitute
from horus_plugins.launch.file.values import Entry, Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Mapping as AnyMapping
    from pathlib import Path

    from horus_plugins.launch.file.expanding import Draft
    from horus_plugins.launch.file.plan import Policy
    from horus_plugins.launch.file.problems import Place, Problems

_RESERVED = ("horus.", "_horus.")
_RUNS = ("package", "command", "cmd")


@dataclass(frozen=True)
class LaunchNode:
    """A node as a launch file has it, with loops, groups and references resolved."""

    name: str
    own_name: str
    """Without the prefixes of its groups."""
    groups: tuple[str, ...]
    """Those prefixes, the outermost first."""
    package: str | None
    command: tuple[str, ...] | None
    """Its words."""
    args: tuple[str, ...]
    rate_hz: float | None
    priority: int
    prefix: str
    """Of its relative topics, without slashes at the ends."""
    topics: dict[str, str]
    params: dict[str, Any]
    param_places: dict[str, Place] = field(repr=False, compare=False)
    """Where their values stand."""
    env: dict[str, str]
    cwd: str | None
    depends_on: tuple[Dependency, ...]
    """By full names, once the file is read."""
    start_delay: float
    ready_timeout: float
    restart: RestartPolicy
    on_exit: Literal["continue", "shutdown"]
    sound: bool
    """Whether it has a name of its own and one thing to run; what has not is only looked at for more problems."""
    folder: Path = field(repr=False)
    """Where relative paths start."""
    mapping: Mapping = field(repr=False, compare=False)
    """As it is written."""

    @property
    def label(self) -> str:
        """The node in errors."""
        return f"node {shown(self.name)}" if self.own_name else "the node"

    def place(self, *keys: str) -> Place:
        """Where the value of the first of these keys stands that it has; else where the node does."""
        for key in keys:
            value = self.mapping.get(key)
            if value is not None:
                return value.place
        return self.mapping.place


def name_of(draft: Draft, problems: Problems) -> str | None:
    """The full name of the node that a draft is; None where it has none that can be used."""
    value = draft.mapping.get("name")
    if value is None:
        return None
    own = substitute(value, draft.context.scope, problems)
    if not isinstance(own, Scalar) or own.broken or not (isinstance(own.value, str) or own.referred):
        return None
    return ".".join([*draft.context.prefixes, own.text])


def node(draft: Draft, sets: AnyMapping[str, Any], problems: Problems) -> LaunchNode:
    """The node that a draft is, with the parameters `sets` above its own."""
    name = name_of(draft, problems)
    what = f"node {shown(name)}" if name else "the node"
    context = draft.context.with_layer(draft.mapping)
    params = Params(context.params, sets, what, problems)
    mapping = _substituted(draft, params, problems)
    found = check(mapping, spec.NodeSpec, what, problems)
    for key in ("params", "env"):
        value = draft.mapping.get(key)
        if value is not None and not isinstance(value, Mapping):
            problems.add(
                value.place, f"{key} of {what}: expected names and values, got {shown(value.plain())}."
            )
    values = params.all()
    env = environment(context.env, params, what, problems)
    sound = _check_runs(mapping, what, problems) and name is not None and "name" in found
    found = {"name": "", **found, "params": values, "param_places": params.places(name or ""), "env": env}
    if sound:
        sound = _check_names(draft, mapping, found, problems)
    return _made(draft, mapping, found, problems, sound=sound)


def _substituted(draft: Draft, params: Params, problems: Problems) -> Mapping:
    scope = Scope(draft.context.scope.environ, draft.context.scope.loops, params.value)
    return Mapping(
        draft.mapping.place,
        {
            key: Entry(
                entry.place,
                (words if key in ("command", "cmd") else substitute)(entry.value, scope, problems),
            )
            for key, entry in draft.mapping.entries.items()
            if key not in ("params", "env")
        },
    )


def _check_runs(mapping: Mapping, what: str, problems: Problems) -> bool:
    has = [key for key in _RUNS if key in mapping.entries]
    if len(has) == 1:
        return True
    got = "none" if not has else " and ".join(has)
    place = mapping.key_place(has[1]) if has else mapping.place
    problems.add(place, f"expected {what} to have one of package, command and cmd, got {got}.")
    return False


def _full_names(draft: Draft, found: dict[str, Any]) -> tuple[str, str]:
    """The node's name and its topics' prefix."""
    groups = draft.context.prefixes
    parts = [part for part in found.get("namespace", "").split("/") if part]
    return ".".join([*groups, found["name"]]), "/".join([*groups, *parts])


def _check_names(draft: Draft, mapping: Mapping, found: dict[str, Any], problems: Problems) -> bool:
    name, prefix = _full_names(draft, found)
    try:
        names.node_name(found["name"])
        names.node_name(name)
        _check_prefix(prefix)
    except InvalidNameError as error:
        problems.add(mapping.place, f"node {shown(name)}: {error}")
        return False
    return True


def _check_prefix(prefix: str) -> None:
    if prefix and names.topic_name(prefix).startswith(_RESERVED):
        raise InvalidNameError(
            f"Bad namespace {prefix!r}: expected one that does not start with 'horus.' or '_horus.', HORUS's own."
        )


def _made(
    draft: Draft, mapping: Mapping, found: dict[str, Any], problems: Problems, *, sound: bool
) -> LaunchNode:
    name, prefix = _full_names(draft, found)
    command = found.get("command", found.get("cmd"))
    args = mapping.get("args")
    given = args.items if isinstance(args, Sequence) and "args" in found else ()
    return LaunchNode(
        name=name,
        own_name=found["name"],
        groups=draft.context.prefixes,
        package=found.get("package"),
        command=tuple(command) if command is not None else None,
        args=tuple(text(one) for one in given if isinstance(one, Scalar)),
        rate_hz=found.get("rate_hz"),
        priority=found.get("priority", 0),
        prefix=prefix,
        topics=_topics(mapping, found, name, problems),
        params=found["params"],
        param_places=found["param_places"],
        env=found["env"],
        cwd=found.get("cwd"),
        depends_on=_dependencies(found.get("depends_on", [])),
        start_delay=found.get("start_delay", 0.0),
        ready_timeout=found.get("ready_timeout", 60.0),
        restart=_restart(mapping, found.get("restart", "never"), name, problems),
        on_exit=found.get("on_exit", "continue"),
        sound=sound,
        folder=draft.context.folder,
        mapping=mapping,
    )


def _topics(mapping: Mapping, found: dict[str, Any], name: str, problems: Problems) -> dict[str, str]:
    topics: dict[str, str] = found.get("topics", {})
    if topics and "package" not in found:
        problems.add(
            mapping.key_place("topics"),
            f"topics of node {name!r}: expected them for a packaged node only, got them for a command: its code "
            f"names its topics.",
        )
    try:
        # As they are written: the process puts its own prefix before them.
        for topic in (*topics, *topics.values()):
            names.topic_name(topic)
    except InvalidNameError as error:
        problems.add(mapping.key_place("topics"), f"topics of node {name!r}: {error}")
    return topics


def _dependencies(found: str | list[str] | dict[str, Any]) -> tuple[Dependency, ...]:
    if isinstance(found, dict):
        return tuple(Dependency(name, condition) for name, condition in found.items())
    return tuple(Dependency(name) for name in ([found] if isinstance(found, str) else found))


def _restart(mapping: Mapping, found: Any, name: str, problems: Problems) -> RestartPolicy:
    if isinstance(found, str):
        return RestartPolicy(policy=cast("Policy", found))  # checked by the format
    written = mapping.get("restart")
    largest = found.max_backoff
    if found.backoff > largest:
        if isinstance(written, Mapping) and "max_backoff" in written.entries:
            problems.add(
                written.entries["max_backoff"].value.place,
                f"restart of node {name!r}: expected max_backoff to be at least backoff ({found.backoff:g} s), got "
                f"{largest:g} s.",
            )
        largest = found.backoff
    return RestartPolicy(
        policy=found.policy,
        max=found.max,
        window_s=None if found.window is UNSET else found.window,
        backoff_s=found.backoff,
        max_backoff_s=largest,
        stable_s=found.stable,
    )
