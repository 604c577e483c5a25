"""What a user sets when a packaged node is run: parameters, rate, topics, name."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from horus_core import names
from horus_core.errors import ConfigError, ParamError
from horus_core.nodes import options, placement
from horus_core.params.env import Given, from_text

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Settings:
    """Checked as far as that goes without the package itself; raises ConfigError, ParamError or InvalidNameError."""

    params: dict[str, str] = field(default_factory=dict)
    """As text: what type a parameter has, the package knows."""
    rate: float | None = None
    """Hz, for all of its nodes that have a rate."""
    topics: dict[str, str] = field(default_factory=dict)
    """Which topics it gets instead of those that it names."""
    name: str | None = None
    """Its node's name; for several the beginning of each."""

    def __post_init__(self) -> None:
        if self.rate is not None and math.isfinite(self.rate):
            options.rate(self.rate)
        elif self.rate is not None:
            raise ConfigError(f"Bad rate: expected Hz, got {self.rate!r}.")
        if self.name is not None:
            names.node_name(self.name)
        placement.topic_names(
            self.topics
        )  # kept as they are: the process that runs it puts its prefix before them

    @property
    def given(self) -> dict[str, Given]:
        """The parameters, for who knows their types."""
        return {name: from_text(text, "--param") for name, text in self.params.items()}

    def words(self) -> list[str]:
        """The options of a command line that mean the same."""
        listed = [f"--rate={self.rate!r}"] if self.rate is not None else []
        listed += [f"--name={self.name}"] if self.name is not None else []
        listed += [f"--param={name}={text}" for name, text in self.params.items()]
        return [*listed, *(f"--topic={old}={new}" for old, new in self.topics.items())]


def settings(
    params: Iterable[str] = (),
    rate: float | None = None,
    topics: Iterable[str] = (),
    name: str | None = None,
) -> Settings:
    """The settings that a command line says: `name=value` and `old=new` in words."""
    return Settings(_pairs("param", params), rate, _pairs("topic", topics), name)


def _pairs(option: str, words: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    kind, form = (ParamError, "name=value") if option == "param" else (ConfigError, "old=new")
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals and (value or option == "param")):
            raise kind(f"Bad --{option}: expected {form}, got {word!r}.")
        if key in pairs:
            raise kind(f"Bad --{option}: expected each once, got {key!r} twice.")
        pairs[key] = value
    return pairs
