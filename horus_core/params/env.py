"""The parameters that a process finds in its environment.

HORUS_PARAMS_JSON is one JSON object with all of them, each with its type. HORUS_PARAM_MAX_SPEED and its like are the
readable mirror of it, and what a user sets by hand: a number or a boolean as JSON writes them, else text.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from horus_core.errors import ParamError

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "HORUS_PARAMS_JSON"
PREFIX = "HORUS_PARAM_"


@dataclass(frozen=True)
class Given:
    """A value that somebody gave a parameter."""

    value: Any
    origin: str
    """Who gave it, for errors: a variable, an option."""
    text: str | None = None
    """As it was written, where it was: what looks like a number may be meant as text."""


def find(name: str, environ: Mapping[str, str] = os.environ) -> Given | None:
    """What the environment gives the parameter; None for nothing.

    The variable of its own counts where it says something else than HORUS_PARAMS_JSON: somebody set it by hand.

    Raises ParamError for a HORUS_PARAMS_JSON that is none.
    """
    everything = _everything(environ)
    text = environ.get(variable(name))
    if name in everything and text in (None, mirror(everything[name])):
        return Given(everything[name], JSON)
    return None if text is None else from_text(text, variable(name))


def names(environ: Mapping[str, str] = os.environ) -> dict[str, Given]:
    """All that the environment gives; HORUS_PARAM_MAX_SPEED, which tells no case, is taken for max_speed.

    Raises ParamError for a HORUS_PARAMS_JSON that is none.
    """
    everything = _everything(environ)
    found = {name: given for name in everything if (given := find(name, environ)) is not None}
    mirrored = {variable(name) for name in everything}
    for key in environ:
        if key.startswith(PREFIX) and key not in mirrored and len(key) > len(PREFIX):
            found[key.removeprefix(PREFIX).lower()] = from_text(environ[key], key)
    return found


def from_text(text: str, origin: str) -> Given:
    """What a user wrote."""
    return Given(parse(text), origin, text)


def variable(name: str) -> str:
    """The variable that mirrors the parameter."""
    return PREFIX + re.sub(r"\W", "_", name).upper()


def mirror(value: Any) -> str:
    """What the variable of its own says for a value."""
    return value if isinstance(value, str) else json.dumps(value)


def parse(text: str) -> Any:
    """A number or a boolean, if JSON has it so; else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    plain = isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value))
    return value if plain else text


def _everything(environ: Mapping[str, str]) -> dict[str, Any]:
    text = environ.get(JSON)
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParamError(f"Bad {JSON}: expected a JSON object, got {_short(text)} ({error}).") from None
    if not isinstance(found, dict):
        raise ParamError(f"Bad {JSON}: expected a JSON object of names and values, got {_short(text)}.")
    return found


def _short(text: str, most: int = 60) -> str:
    return repr(text if len(text) <= most else text[:most] + "…")
