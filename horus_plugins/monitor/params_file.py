"""Files of parameters: what runs saved into one, and one taken over by what runs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core.errors import ConfigError, ParamError
from horus_core.params import files
from horus_core.plugins.reasons import nearest
from horus_plugins.monitor import params

if TYPE_CHECKING:
    from pathlib import Path

    from horus_core.params.files import Line
    from horus_plugins.monitor.params import Outcome, Param, Process, Refusal


class Saved(msgspec.Struct):
    """What `horus param save` wrote."""

    namespace: str
    file: str
    names: list[str]


def save(namespace: str, path: Path, node: str | None = None, *, replace: bool = False) -> Saved:
    """Write the values of all parameters that can be set; `horus param load` and HORUS_PARAMS_FILE read them.

    Raises ParamError where processes differ or one does not answer, ConfigError for a file that is there already, or
    that cannot be written.
    """
    if path.exists() and not replace:
        raise ConfigError(
            f"Saving parameters failed: expected a new file, got {path}, which is there. Use --replace."
        )
    params.processes(namespace, node)
    found = params.listed(namespace, node)
    if found.silent:
        one = found.silent[0]
        raise ParamError(f"Saving parameters failed, nothing was written: {one.why}")
    by_name: dict[str, list[Param]] = {}
    for param in found.params:
        if not param.fixed and param.asked and param.value is not None:
            by_name.setdefault(param.name, []).append(param)
    _refuse_differing(by_name)
    head = [f"# Parameters of namespace {namespace}, saved by `horus param save`.\n"]
    _write(path, "".join(head + [_line(same[0]) for same in by_name.values()]))
    return Saved(namespace, str(path), sorted(by_name))


def load(namespace: str, path: Path, node: str | None = None, *, new: bool = False) -> Outcome:
    """Set all that stands in a file, in each process what it reads; none of it where anything is refused.

    All processes are asked first whether they would take it, and then told to; each takes all of it or nothing.
    Raises ParamError with all that is wrong, each with file and line.
    """
    lines = files.lines(path)
    problems = {line.number: [line.problem] for line in lines if line.problem}
    asked = params.processes(namespace, node)
    known, refused, silent = params.ask_all(asked, params.Process.known)
    wanted = {line.name: line for line in lines if line.given is not None}
    reads = {
        one.pid: {param.name for param in known if param.pid == one.pid and param.asked} for one in asked
    }
    names = {param.name for param in known}
    for name, line in wanted.items():
        if not new and not any(name in own for own in reads.values()):
            near = nearest(name, names)
            problems.setdefault(line.number, []).append(
                f"nothing that runs reads the parameter {name!r}.{near}"
            )
    parts = {one.pid: _part(wanted, known, one, None if new else reads[one.pid]) for one in asked}
    takers = [one for one in asked if parts[one.pid]]
    _, more, late = params.ask_all(takers, lambda process: _set(process, parts, new=new, check=True))
    for refusal in more:
        for name, why in (refusal.names or {"": refusal.why}).items():
            number = wanted[name].number if name in wanted else 0
            problems.setdefault(number, []).append(f"{_who(refusal)}: {why}")
    unheard = [one.why for one in refused] + [one.why for one in (*silent, *late)]
    problems.setdefault(0, []).extend(unheard)
    _refuse(path, problems)
    taken, more, late = params.ask_all(takers, lambda process: _set(process, parts, new=new, check=False))
    return params.Outcome(namespace, taken, more, late, params.unreadable(namespace))


def _part(
    wanted: dict[str, Line], known: list[Param], process: Process, reads: set[str] | None
) -> dict[str, dict[str, Any]]:
    """What a process is to set: what it reads, and what it has not already and cannot take."""
    mine = {param.name: param for param in known if param.pid == process.pid}
    part: dict[str, dict[str, Any]] = {}
    for name, line in wanted.items():
        if line.given is None or (reads is not None and name not in reads):
            continue
        if name in mine and mine[name].fixed and mine[name].value == line.given.value:
            continue
        text = line.given.text
        part[name] = {"value": line.given.value} if text is None else {"text": text}
    return part


def _set(process: Process, parts: dict[int, Any], *, new: bool, check: bool) -> list[Param]:
    return process.ask("SetParam", values=parts[process.pid], new=new, check=check)


def _who(refusal: Refusal) -> str:
    return f"{refusal.scheduler} (pid {refusal.pid})"


def _refuse(path: Path, problems: dict[int, list[str]]) -> None:
    if any(problems.values()):
        said = [f"{path}:{number}: {what}" for number in sorted(problems) for what in problems[number]]
        raise ParamError("Loading parameters failed, nothing was set:\n" + "\n".join(said))


def _refuse_differing(by_name: dict[str, list[Param]]) -> None:
    differing = []
    for name, same in by_name.items():
        if any(one.value != same[0].value for one in same):
            values = ", ".join(f"{one.value!r} in {one.scheduler}" for one in same)
            differing.append(f"{name}: {values}")
    if differing:
        raise ParamError(
            "Saving parameters failed: expected the same values in all processes, got\n  "
            + "\n  ".join(differing)
            + "\nSave those of one process: --node NAME."
        )


def _line(param: Param) -> str:
    """One parameter as YAML, with what it means behind it."""
    about = " ".join(part for part in (param.unit, param.doc.splitlines()[0] if param.doc else "") if part)
    shown = "".join(one if one.isprintable() else " " for one in about)
    comment = f"  # {shown}" if shown else ""
    return f"{_text(param.name)}: {_value(param.value)}{comment}\n"


def _value(value: Any) -> str:
    """A value as JSON, which YAML understands; text in quotes, so that it is read back as text."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(str(key))}: {_value(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


def _text(text: str) -> str:
    if text.isascii() and text.isidentifier() and text not in ("true", "false", "null"):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted) + '"'


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(
            f"Saving parameters failed: {error}. Check the folder and its permissions."
        ) from error
