"""The format of launch files: every key, what it may be, and what it means. The JSON Schema is made of this."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from horus_core.nodes.options import MAX_RATE
from horus_plugins.launch.file.plan import Condition, Policy  # noqa: TC001 - msgspec looks at them

_MAX_S = 86_400.0
NAME = r"^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,128}$"
NAMESPACE = r"^[A-Za-z0-9_-]{1,48}$"
PREFIX = r"^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?$"


def _says(description: str, expected: str, **rules: Any) -> Any:
    return Meta(description=description, extra={"expected": expected}, **rules)


Word = str | int | float | bool
Text = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(ge=0, le=_MAX_S)]
Name = Annotated[str, Meta(pattern=NAME)]
_NAME_RULE = "1 to 128 characters of A-Z a-z 0-9 _ . -"
_PREFIX_RULE = "parts of A-Z a-z 0-9 _ . - with slashes between"

Params = Annotated[
    dict[str, Any],
    _says("Parameters: numbers, booleans, texts, lists and mappings keep their types.", "names and values"),
]
Env = Annotated[
    dict[str, Word], _says("Environment variables.", "names, and texts, numbers or booleans for them")
]


class RestartSpec(Struct, forbid_unknown_fields=True):
    """When a process that has ended is started again, and how often."""

    policy: Annotated[Policy, _says("After which ends.", "`never`, `on-failure` or `always`")]
    max: Annotated[int, _says("How many restarts within `window`.", "an integer, 0 or more", ge=0)] = 10
    window: Annotated[
        Annotated[float, Meta(gt=0, le=_MAX_S)] | UnsetType,
        _says("Seconds in which restarts are counted; else since the last stable run.", "seconds above 0"),
    ] = UNSET
    backoff: Annotated[
        Seconds, _says("Seconds before the first restart, then doubled.", "seconds, 0 or more")
    ] = 0.1
    max_backoff: Annotated[Seconds, _says("Seconds, at most, before one.", "seconds, 0 or more")] = 10.0
    stable: Annotated[
        Seconds, _says("Seconds of running that start the count anew.", "seconds, 0 or more")
    ] = 10.0


class NodeSpec(Struct, forbid_unknown_fields=True):
    """A process: a packaged node, or a command."""

    name: Annotated[Name, _says("Its name, of which there is one in a session.", _NAME_RULE)]
    package: Annotated[
        Text | UnsetType, _says("A packaged node, as `horus run` takes it.", "the name of a packaged node")
    ] = UNSET
    command: Annotated[
        Text | Annotated[list[str], Meta(min_length=1)] | UnsetType,
        _says("A command line, split as a shell would but run without one; or its words.", "a command line"),
    ] = UNSET
    cmd: Annotated[
        Text | Annotated[list[str], Meta(min_length=1)] | UnsetType,
        _says("The same as command.", "a command line"),
    ] = UNSET
    args: Annotated[
        list[Word] | UnsetType, _says("What reaches its sys.argv.", "a list of texts, numbers or booleans")
    ] = UNSET
    rate_hz: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_RATE)] | UnsetType,
        _says(
            "How often its nodes tick, where their code says nothing.", f"Hz above 0 and up to {MAX_RATE:g}"
        ),
    ] = UNSET
    priority: Annotated[
        int | UnsetType, _says("Of those that may start, the lowest starts first. Default 0.", "an integer")
    ] = UNSET
    namespace: Annotated[
        Annotated[str, Meta(pattern=PREFIX)] | UnsetType,
        _says("Prefix of its relative topics, such as /arm.", _PREFIX_RULE),
    ] = UNSET
    topics: Annotated[
        dict[str, str] | UnsetType,
        _says(
            "Of a packaged node: other topics for those it names.", "its topics, and topics instead of them"
        ),
    ] = UNSET
    params: Params | UnsetType = UNSET
    env: Env | UnsetType = UNSET
    cwd: Annotated[
        Text | UnsetType,
        _says("Its working folder, from the folder of this file, which is the default.", "a folder"),
    ] = UNSET
    depends_on: Annotated[
        Text | list[str] | dict[str, Condition] | UnsetType,
        _says(
            "What must be ready before it starts; a mapping says what of each: started, ready, completed.",
            "a name, a list of names, or names with `started`, `ready` or `completed`",
        ),
    ] = UNSET
    start_delay: Annotated[
        Seconds | UnsetType, _says("Seconds to wait after all that it depends on.", "seconds, 0 or more")
    ] = UNSET
    ready_timeout: Annotated[
        Annotated[float, Meta(gt=0, le=_MAX_S)] | UnsetType,
        _says(
            "Seconds in which it must be ready for those that depend on it. Default 60.", "seconds above 0"
        ),
    ] = UNSET
    restart: Annotated[
        Policy | RestartSpec | UnsetType,
        _says(
            "When it is started again after its end. Default never.",
            "`never`, `on-failure`, `always`, or a mapping with `policy`",
        ),
    ] = UNSET
    on_exit: Annotated[
        Literal["continue", "shutdown"] | UnsetType,
        _says("`shutdown`: its end ends the session. Default continue.", "`continue` or `shutdown`"),
    ] = UNSET


class IncludeSpec(Struct, forbid_unknown_fields=True):
    """The nodes of another launch file."""

    file: Annotated[Text, _says("From the folder of this file.", "a launch file")]
    prefix: Annotated[
        Annotated[str, Meta(pattern=PREFIX)] | UnsetType,
        _says("Put before its nodes' names (`left.arm`) and topics (`left/cmd`).", _PREFIX_RULE),
    ] = UNSET
    params: Params | UnsetType = UNSET
    env: Env | UnsetType = UNSET


Includes = Text | IncludeSpec | list[Text | IncludeSpec]
_INCLUDES = _says("Other launch files, whose nodes belong to this session.", "a file, or a list of them")
_FOREACH = _says(
    "For each value, or combination of values, the nodes once; ${name} stands for it.",
    "names, and a list of values for each",
)


class GroupSpec(Struct, forbid_unknown_fields=True):
    """Nodes that share something: a prefix, parameters, environment; or of which there are several."""

    foreach: Annotated[dict[str, Any] | UnsetType, _FOREACH] = UNSET
    prefix: Annotated[
        Annotated[str, Meta(pattern=rf"^$|{PREFIX}")] | UnsetType,
        _says('Of names and topics. With foreach the values, unless it is given; "" is none.', _PREFIX_RULE),
    ] = UNSET
    params: Params | UnsetType = UNSET
    env: Env | UnsetType = UNSET
    nodes: Annotated[list[Any] | UnsetType, _says("Nodes and groups.", "a list of nodes")] = UNSET
    include: Annotated[Includes | UnsetType, _INCLUDES] = UNSET


class StopSpec(Struct, forbid_unknown_fields=True):
    """How long each phase of a stop may take; it ends when all have ended."""

    graceful: Annotated[
        Seconds, _says("Seconds from asking the schedulers to SIGTERM.", "seconds, 0 or more")
    ] = 2.0
    terminate: Annotated[Seconds, _says("Seconds from SIGTERM to SIGKILL.", "seconds, 0 or more")] = 3.0


class FileSpec(Struct, forbid_unknown_fields=True):
    """A launch file: the processes of a robot."""

    session: Annotated[
        Name | UnsetType, _says("Name of the session. Default: the file's, without suffix.", _NAME_RULE)
    ] = UNSET
    namespace: Annotated[
        Annotated[str, Meta(pattern=NAMESPACE)] | UnsetType,
        _says("Whose topics its processes share, HORUS_NAMESPACE.", "1 to 48 characters of A-Z a-z 0-9 _ -"),
    ] = UNSET
    params: Params | UnsetType = UNSET
    env: Env | UnsetType = UNSET
    stop: Annotated[
        StopSpec | UnsetType, _says("How long a stop may take.", "`graceful` and `terminate`")
    ] = UNSET
    nodes: Annotated[
        Annotated[list[Any], Meta(min_length=1)] | UnsetType,
        _says("Nodes and groups.", "a list of nodes, `- name: …`"),
    ] = UNSET
    include: Annotated[Includes | UnsetType, _INCLUDES] = UNSET
