"""The picture of a run: the pole's angle, and how far each tick was from its millisecond."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")  # before pyplot is there: no display is needed

from matplotlib import pyplot as plt


def draw(path: Path, angles: NDArray[np.float64], jitter_us: NDArray[np.float64]) -> None:
    """Write a PNG: angles in rad and jitter in microseconds, a value for each millisecond."""
    figure, (above, below) = plt.subplots(2, sharex=True, figsize=(10, 6), layout="constrained")
    above.plot(np.arange(len(angles)) / 1000, np.degrees(angles), linewidth=1)
    above.set_ylabel("angle of the pole [degrees]")
    above.grid(visible=True, alpha=0.3)
    below.semilogy(np.arange(len(jitter_us)) / 1000, np.maximum(jitter_us, 0.1), ".", markersize=1.5)
    below.set_ylabel("tick jitter [us]")
    below.set_xlabel("time [s]")
    below.grid(visible=True, alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    plt.close(figure)
