"""What is told of schedulers: read when somebody asks, and at no other time."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, StateSetMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

import horus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LABELS = ("scheduler", "node")
_MS = 1e-3

_COUNTERS = (
    ("ticks", "total_ticks", "Ticks that have ended, failed ones included."),
    ("failed_ticks", "failed_ticks", "Ticks that raised an exception."),
    ("deadline_misses", "missed_deadlines", "Ticks that ended after their deadline."),
    ("skipped_releases", "skipped_releases", "Releases that were skipped as the node was late."),
    ("restarts", "restarts", "Times that its failure policy has restarted the node."),
)


class NodeCollector(Collector):
    """Gives prometheus-client the figures of schedulers, as their stats are at that moment."""

    def __init__(self, schedulers: Callable[[], Iterable[horus.Scheduler]]) -> None:
        """`schedulers`: those to show, from any thread."""
        self._schedulers = schedulers

    def collect(self) -> Iterator[Metric]:
        """All metrics; those of nodes have the labels `scheduler` and `node`."""
        schedulers = list(self._schedulers())
        nodes = [found for scheduler in schedulers for found in _stats(scheduler)]
        yield from _counters(nodes)
        yield _hangs(schedulers)
        yield _durations(nodes)
        yield _states(nodes)
        yield _rates(nodes)
        yield _emergency_stops(schedulers)


def _stats(scheduler: horus.Scheduler) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Labels and figures of its nodes."""
    for name in scheduler.get_node_names():
        with suppress(horus.NodeError):  # it was removed just now
            yield (scheduler.name, name), scheduler.get_node_stats(name)


_Nodes = list[tuple[tuple[str, str], dict[str, Any]]]


def _counters(nodes: _Nodes) -> Iterator[Metric]:
    for name, key, text in _COUNTERS:
        counter = CounterMetricFamily(f"horus_node_{name}", text, labels=_LABELS)
        for labels, stats in nodes:
            counter.add_metric(labels, stats[key])
        yield counter


def _hangs(schedulers: list[horus.Scheduler]) -> Metric:
    counter = CounterMetricFamily("horus_node_hangs", "Times that its watchdog has met it.", labels=_LABELS)
    for scheduler in schedulers:
        safety = scheduler.safety_stats()
        for name, health in safety["nodes"].items() if safety else ():
            counter.add_metric((scheduler.name, name), health["hangs"])
    return counter


def _durations(nodes: _Nodes) -> Metric:
    text = "Durations of ticks: the 50th and 99th percentile since the start, their number and sum."
    name = "horus_node_tick_duration_seconds"
    summary = Metric(name, text, "summary")
    for values, stats in nodes:
        labels = dict(zip(_LABELS, values, strict=True))
        ticks = stats["total_ticks"]
        for quantile, key in (("0.5", "p50_tick_duration_ms"), ("0.99", "p99_tick_duration_ms")):
            value = stats[key] * _MS if ticks else math.nan
            summary.add_sample(name, {**labels, "quantile": quantile}, value)
        summary.add_sample(f"{name}_count", labels, ticks)
        summary.add_sample(f"{name}_sum", labels, ticks * stats["avg_tick_duration_ms"] * _MS)
    return summary


def _states(nodes: _Nodes) -> Metric:
    states = StateSetMetricFamily("horus_node_state", "1 for the state that the node is in.", labels=_LABELS)
    for labels, stats in nodes:
        states.add_metric(labels, {state.value: state.value == stats["state"] for state in horus.NodeState})
    return states


def _rates(nodes: _Nodes) -> Metric:
    text = "Ticks a second, as planned now; none for nodes that messages wake."
    rates = GaugeMetricFamily("horus_node_rate_hertz", text, labels=_LABELS)
    for labels, stats in nodes:
        if stats["rate"]:
            rates.add_metric(labels, stats["rate"])
    return rates


def _emergency_stops(schedulers: list[horus.Scheduler]) -> Metric:
    engaged: dict[str, bool] = {}  # two of one name are one to Prometheus
    for scheduler in schedulers:
        safety = scheduler.safety_stats()
        engaged[scheduler.name] = engaged.get(scheduler.name, False) or bool(
            safety and safety["estop"]["engaged"]
        )
    text = "1 while an emergency stop holds the nodes."
    gauge = GaugeMetricFamily("horus_estop_engaged", text, labels=("scheduler",))
    for name, is_engaged in engaged.items():
        gauge.add_metric((name,), is_engaged)
    return gauge
