"""What is told of a packaged node: by `horus package info`, and by its check."""

from __future__ import annotations

from typing import Any

import msgspec


class Topic(msgspec.Struct):
    """A topic and the type of its messages; "" where no type is declared, or none is known."""

    topic: str
    type: str = ""


class ParameterReport(msgspec.Struct):
    """A parameter as its function declares it."""

    name: str
    type: str
    default: Any = None
    required: bool = False
    unit: str = ""
    doc: str = ""


class NodeReport(msgspec.Struct):
    """One node as it is made with the defaults."""

    name: str
    rate: float | None
    """Hz; None for a node that ticks when messages come."""
    publishes: list[Topic] = []
    subscribes: list[Topic] = []


class Check(msgspec.Struct):
    """What a run of a second found."""

    seconds: float
    problems: list[str] = []
    """Where the package does not do what it declares."""
    notes: list[str] = []
    """What the run did not show, or what could be declared."""
    used: dict[str, NodeReport] = {}
    """What each node published and subscribed."""


class FunctionReport(msgspec.Struct):
    """One entry point of the group `horus.nodes`: a function that makes a node, or several."""

    name: str
    value: str
    doc: str = ""
    parameters: list[ParameterReport] = []
    nodes: list[NodeReport] = []
    error: str = ""
    """Why the rest is not known, or not all of it."""
    check: Check | None = None


class NodeEntry(msgspec.Struct):
    """An entry point of the group `horus.nodes`."""

    name: str
    value: str
    """Where its function stands: module:name."""


class PackageEntry(msgspec.Struct):
    """A distribution with packaged nodes, of which nothing was imported."""

    distribution: str
    version: str
    nodes: list[NodeEntry]


class PackageList(msgspec.Struct):
    """What is installed."""

    packages: list[PackageEntry]


class PackageReport(msgspec.Struct):
    """A distribution with packaged nodes."""

    distribution: str
    version: str
    nodes: list[FunctionReport] = []
