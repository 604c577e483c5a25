"""Every figure that a run measures, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import (
    command,
    core,
    dicts,
    footprint,
    images,
    launching,
    logs,
    observers,
    realtime,
    scheduling,
    streams,
    typed,
    wakeups,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lab import Lab
    from benchmarks.row import Row

FIGURES: dict[str, Callable[[Lab], list[Row]]] = {
    "typed-thread": typed.same_thread,
    "typed-tick": typed.in_a_tick,
    "core": core.from_c,
    "typed-polling": typed.polling,
    "typed-asleep": typed.asleep,
    "dicts": dicts.small,
    "dict-array": dicts.with_array,
    "image-in-place": images.in_place,
    "image-private": images.from_private,
    "stream": streams.stream,
    "fan-out": streams.fan_out,
    "import": footprint.imports,
    "help": command.helping,
    "shared-memory": footprint.shared_memory,
    "opening": footprint.opening,
    "tick-overhead": scheduling.overhead,
    "tick-unthrottled": scheduling.unthrottled,
    "tick-idle": scheduling.idle,
    "stopping": scheduling.stopping,
    "logs": logs.lines,
    "rt-lateness": realtime.lateness,
    "rt-spin": realtime.spinning,
    "rt-beside-python": realtime.beside_python,
    "event": wakeups.event,
    "estop": wakeups.emergency_stop,
    "observers": observers.publisher,
    "topic-list": observers.crowd,
    "nothing-running": observers.nothing,
    "launch-ready": launching.ready,
    "launch-idle": launching.idle,
    "launch-stop": launching.stop,
}
