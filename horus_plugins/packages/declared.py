"""Whether values are what packaged nodes declare their parameters as, asked before any of these nodes starts.

Only the package's own code tells, so another process imports it: one that fails, hangs or prints there harms nobody.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from horus_plugins.packages import describing
from horus_plugins.runners.python import interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROBE = Path(__file__).with_name("declared_probe.py")
_PATIENCE_S = 5.0


class Asked(msgspec.Struct):
    """A process that is to run packaged nodes."""

    words: list[str]
    """Each as `distribution:node`."""
    params: dict[str, Any]


class Answer(msgspec.Struct):
    """What is to be said of its parameters."""

    refused: dict[str, str] = {}
    """By the parameter: why its value is none."""
    declared: list[str] = []
    unknown: str = ""
    """Why nothing is known of them; "": it is."""


def ask(asked: Sequence[Asked], *, patience_s: float = _PATIENCE_S) -> list[Answer]:
    """An answer for each, in their order. Raises nothing: what cannot be found out is told in the answer."""
    with tempfile.TemporaryDirectory(prefix="horus-params-") as folder:
        question, out, said = (Path(folder, name) for name in ("asked.json", "answers.jsonl", "output"))
        question.write_bytes(msgspec.json.encode(asked))
        command = [interpreter("packages"), str(_PROBE), str(question), str(out)]
        code = describing.run(command, said, patience_s)
        answers: list[Answer] = []
        with suppress(FileNotFoundError, msgspec.MsgspecError):
            for line in out.read_bytes().splitlines():
                answers.append(msgspec.json.decode(line, type=Answer))  # noqa: PERF401 - as far as they are whole
        lines = said.read_text(errors="replace").strip().splitlines() or [f"exit code {code}"]
    how = f"the import ended its process: {lines[-1]}"
    if code is None:
        how = f"importing takes longer than {patience_s:g} s"
    return [*answers, *(Answer(unknown=how) for _ in asked[len(answers) :])]
