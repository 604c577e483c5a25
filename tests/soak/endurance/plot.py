"""A picture of a run: figures over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path


def draw(
    samples: list[dict[str, Any]], latencies: list[tuple[float, float, float]], title: str, path: Path
) -> None:
    """Write a PNG. `latencies` are (s, p50, p99) in microseconds."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    minutes = np.array([sample["s"] for sample in samples]) / 60
    figure, axes = plt.subplots(4, 2, figsize=(14, 14), sharex=True, layout="constrained")
    figure.suptitle(title)

    def curve(at: Any, values: Any, label: str, **how: Any) -> None:
        at.plot(minutes, values, label=label, linewidth=1, **how)

    def of(name: str, scale: float = 1.0) -> Any:
        return np.array([sample[name] for sample in samples]) * scale

    def rate(name: str) -> Any:
        return np.gradient(of(name), minutes * 60)

    (memory, fds), (bytes_at, files), (flow, lost), (restarts, latency) = axes
    for which, color in (("rss", "tab:blue"), ("anonymous", "tab:green")):
        each = [
            [found[which] / 1024 for found in sample["processes"].values()] or [0.0] for sample in samples
        ]
        curve(memory, [np.median(one) for one in each], f"{which}: median", color=color)
        curve(memory, [max(one) for one in each], f"{which}: max", color=color, linestyle=":")
    curve(fds, of("descriptors"), "descriptors, all processes")
    each = [[found["descriptors"] for found in sample["processes"].values()] or [0] for sample in samples]
    curve(fds, [max(one) for one in each], "max of one process", linestyle=":")
    curve(bytes_at, of("shm_kib", 1 / 1024), "in /dev/shm")
    curve(bytes_at, of("gone_kib", 1 / 1024), "mapped, but without a name")
    for name in ("shm_files", "shm_topics", "shm_arenas", "shm_records"):
        curve(files, of(name), name.removeprefix("shm_"))
    curve(flow, rate("sent"), "sent/s")
    curve(flow, rate("delivered"), "delivered/s")
    curve(lost, of("missed"), "missed")
    curve(lost, of("skipped"), "skipped")
    curve(restarts, of("restarts"), "restarts")
    curve(restarts, of("children"), "forked children")
    if latencies:
        seconds, half, most = (np.array(column) for column in zip(*latencies, strict=True))
        latency.plot(seconds / 60, half, label="p50", linewidth=1)
        latency.plot(seconds / 60, most, label="p99", linewidth=1)
        latency.set_yscale("log")
    for at, unit in (
        (memory, "MiB"), (fds, "open"), (bytes_at, "MiB"), (files, "files"), (flow, "messages/s"), (lost, "messages"),
        (restarts, "processes"), (latency, "µs from send to receipt"),
    ):  # fmt: skip
        at.set_ylabel(unit)
        at.grid(alpha=0.3)
        at.set_ylim(bottom=None if at is latency else 0)
        if at.get_legend_handles_labels()[0]:
            at.legend(fontsize=8)
    for at in axes[-1]:
        at.set_xlabel("minutes")
    figure.savefig(path, dpi=90)
    plt.close(figure)
