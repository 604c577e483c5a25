"""From what a user types to a message class: `CmdVel`, `module:Class`, `file.py:Class`, `topic:NAME`."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

import posix_ipc

from horus_core import _native
from horus_core.errors import ConfigError, HorusError, RegionError
from horus_core.messages import layout as layouts
from horus_core.messages import registry
from horus_core.messages.message import Message
from horus_core.names import topic_name
from horus_core.plugins.reasons import nearest
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region
from horus_core.text import plain
from horus_core.topics import types
from horus_plugins.monitor.message_types import is_pooled

if TYPE_CHECKING:
    from types import ModuleType

TOPIC = "topic:"


def find(said: str) -> type[Message]:
    """The class that is meant. Raises HorusError when there is none, or what has it cannot be imported."""
    if said.startswith(TOPIC):
        return of_topic(said.removeprefix(TOPIC))[0]
    module, colon, name = said.rpartition(":")
    if colon:
        return _attribute(import_target(module), name, said)
    if is_pooled(said):
        raise ConfigError(
            f"Reading the layout of {said} failed: its payload lies in the pool, so the type has no layout to "
            f"look at or to compare. All processes of one version of HORUS have the same; `horus msg show {said}` "
            "tells of it."
        )
    cls = registry.find(said)
    if cls is None:
        trouble, cause = registry.types.trouble(said)
        if trouble:
            raise ConfigError(f"No message type {said!r}: {trouble}") from cause
        raise ConfigError(
            f"No message type {said!r}: expected one that a package brings, `module:Class`, `file.py:Class` or "
            f"`topic:NAME`.{nearest(said, registry.types.names())} `horus msg list` shows them."
        )
    return cls


def import_target(target: str) -> ModuleType:
    """Import a module by name, or a Python file by its path. What it prints goes to stderr.

    Raises ConfigError, with what it raised as the cause, when that fails.
    """
    with redirect_stdout(sys.stderr):
        try:
            return _from_file(Path(target)) if target.endswith(".py") else _by_name(target)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a user's module may do anything, also call sys.exit()
            what = " ".join(f"{type(error).__name__}: {error}".split())
            raise ConfigError(f"Importing {target} failed: {what}{_line(error)}") from error


def import_all(target: str) -> ModuleType:
    """Import a file or module; of a package all modules but `__main__`. Raises ConfigError as `import_target`."""
    module = import_target(target)
    for info in walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
        if not info.name.endswith(".__main__"):
            import_target(info.name)
    return module


def of_topic(topic: str) -> tuple[type[Message], dict[str, Any]]:
    """A class made from the layout in a topic's region, and what its creator wrote of itself.

    Nothing is imported. Raises HorusError when there is no such topic in the current namespace, it cannot be read, or
    what it carries has no layout.
    """
    where = namespaces.current()
    name = namespaces.topic_region(where, topic_name(topic))
    if not namespaces.regions(where):  # looking makes no namespace
        raise _no_topic(topic, where)
    try:
        with namespaces.locked(where, exclusive=False):
            return _look(where, name, topic)
    except RegionError as error:
        raise RegionError(plain(str(error))) from None


def _look(where: str, name: str, topic: str) -> tuple[type[Message], dict[str, Any]]:
    member = process.joined(where) or process.peek(where)
    if member is None:
        raise _no_topic(topic, where)
    try:
        fd = region.open_existing(name)
    except posix_ipc.ExistentialError:
        raise _no_topic(topic, where) from None
    try:
        return _read(_native.Ring(fd, member), topic)
    finally:
        os.close(fd)


def _read(ring: _native.Ring, topic: str) -> tuple[type[Message], dict[str, Any]]:
    found = types.of_ring(ring)
    if ring.kind != _native.TYPED or found.layout is None:
        what = "dicts" if ring.kind == _native.MSGPACK else plain(found.name)
        raise ConfigError(
            f"Reading the layout of topic {topic!r} failed: it carries {what}, which have none."
        )
    cls = layouts.class_from_layout(found.layout)
    if cls.__type_hash__ != ring.type_hash:
        raise RegionError(
            f"Reading the layout of topic {topic!r} failed: expected the hash {ring.type_hash.hex()} that stands in "
            f"its header, got {layouts.type_hash(cls).hex()}. Its creator is of another version, or broken."
        )
    creator = types.read_description(ring).get("creator")
    return cls, creator if isinstance(creator, dict) else {}


def _no_topic(topic: str, where: str) -> HorusError:
    there = [one for name in namespaces.regions(where) if (one := namespaces.topic_of(name)) is not None]
    hint = nearest(topic, there) or " `horus topic list` shows them."
    return ConfigError(
        f"No topic {topic!r} in namespace {where!r}: expected one that somebody has used.{hint}"
    )


def _by_name(target: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:  # as `python -m` does
        sys.path.insert(0, here)
    return import_module(target)


def _from_file(path: Path) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415 - only for files

    if not path.is_file():
        raise FileNotFoundError(f"expected a Python file, got none at {path}")
    folder = str(path.resolve().parent)
    if folder not in sys.path:  # as `python file.py` does
        sys.path.insert(0, folder)
    name = path.stem if path.stem not in sys.modules else f"file_{path.stem}"  # a file may be called json.py
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"expected a Python file, got {path}")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]  # half a module is none
        raise
    return module


def _attribute(module: ModuleType, name: str, said: str) -> type[Message]:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not (isinstance(found, type) and issubclass(found, Message) and found.__type_hash__):
        classes = [key for key, one in vars(module).items() if getattr(one, "__type_hash__", None)]
        raise ConfigError(
            f"No message type {said!r}: expected a subclass of horus.Message, got "
            f"{'nothing of that name' if found is None else repr(found)}.{nearest(name, classes)}"
        )
    return found


def _line(error: BaseException) -> str:
    """Where it happened: the last line that is the user's."""
    place = ""
    frame = error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if not file.startswith("<frozen") and "horus_core" not in file and "horus_plugins" not in file:
            place = f" ({file}:{frame.tb_lineno})"
        frame = frame.tb_next
    return place
