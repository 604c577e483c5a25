"""The demo's status: a line a second while it runs, a table at the end."""

import time
from collections import deque
from statistics import median
from typing import Any

import options
from meter import KEPT, Figures, Meter

import horus


class Status:
    """Watches the three topics of the pipeline from the outside."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._latest: dict[str, Any] | None = None
        self._nearest = float("inf")
        self._frames = self._frames_with_faces = 0
        self._frame_ages_ms: deque[float] = deque(maxlen=KEPT)
        self._commands = self._stops = 0
        self._speed = 0.0
        self._meters = [
            Meter("camera.rgb"),
            Meter("detections", self._note_detections),
            Meter("cmd_vel", self._note_command),
        ]

    def init(self) -> None:
        for meter in self._meters:
            meter.start()

    def tick(self) -> None:
        elapsed = time.monotonic() - self._started
        if elapsed < 0.5:
            return  # nothing can be said about a rate yet
        parts = [_brief(meter.topic, meter.recent()) for meter in self._meters]
        print(f"{elapsed:4.0f} s | {' | '.join(parts)} | {self._decision()}", flush=True)

    def shutdown(self) -> None:
        for meter in self._meters:
            meter.stop()
        print("\n".join(self._summary()), flush=True)

    def _note_detections(self, seen: dict[str, Any]) -> None:
        self._latest = seen
        self._frames += 1
        self._frames_with_faces += seen["count"] > 0
        self._nearest = min(self._nearest, seen["closest_distance"])
        self._frame_ages_ms.append((time.monotonic_ns() - seen["frame_timestamp_ns"]) / 1e6)

    def _note_command(self, command: horus.CmdVel) -> None:
        self._speed = command.linear
        self._commands += 1
        self._stops += command.linear == 0

    def _decision(self) -> str:
        action = f"drive {self._speed:.1f} m/s" if self._speed else "stop"
        if self._latest is None:
            return f"no detections yet: {action}"
        if not self._latest["count"]:
            return f"nobody: {action}"
        count, distance = self._latest["count"], self._latest["closest_distance"]
        return f"{count} face{'s' if count > 1 else ''}, {distance:.2f} m: {action}"

    def _summary(self) -> list[str]:
        lines = [
            f"summary after {time.monotonic() - self._started:.1f} s",
            f"  {'topic':12}{'messages':>10}{'rate':>11}{'latency p50':>15}{'p99':>12}{'lost':>7}",
            *(_row(meter) for meter in self._meters),
        ]
        if self._frames:
            lines.append(
                f"  faces in {self._frames_with_faces} of {self._frames} frames looked at"
                + (f", the nearest {self._nearest:.2f} m away" if self._frames_with_faces else "")
                + f"; known {median(self._frame_ages_ms):.0f} ms after the frame (median)"
            )
        if self._commands:
            lines.append(
                f"  {self._stops} of {self._commands} commands were a stop "
                f"(closer than {options.STOP_DISTANCE:g} m, or blind)"
            )
        return lines


def _brief(topic: str, recent: Figures) -> str:
    if not recent.messages:
        return f"{topic} silent"
    return f"{topic} {recent.rate:.0f} Hz {recent.latency(0.5):.2f} ms {recent.lost} lost"


def _row(meter: Meter) -> str:
    total = meter.total
    if total is None:
        return f"  {meter.topic:12}{0:10}"
    return (
        f"  {meter.topic:12}{total.messages:10}{total.rate:8.1f} Hz"
        f"{total.latency(0.5):12.3f} ms{total.latency(0.99):9.3f} ms{total.lost:7}"
    )
