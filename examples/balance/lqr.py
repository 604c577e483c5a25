"""The linear-quadratic regulator for the upright pole, from MuJoCo's own linearisation of the model."""

from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

MODEL = Path(__file__).with_name("pole.xml")

# What a deviation costs: position, angle, velocity, angular velocity; and what force costs.
COST = np.diag([100.0, 100.0, 1.0, 5.0])
FORCE_COST = np.array([[0.0005]])


def gains() -> NDArray[np.float64]:
    """Force per position, angle, velocity and angular velocity, for a controller as fast as the simulation."""
    model = mujoco.MjModel.from_xml_path(str(MODEL))
    data = mujoco.MjData(model)
    a, b = np.zeros((4, 4)), np.zeros((4, 1))
    mujoco.mjd_transitionFD(model, data, 1e-6, True, a, b, None, None)
    cost = _riccati(a, b)
    found: NDArray[np.float64] = np.linalg.solve(FORCE_COST + b.T @ cost @ b, b.T @ cost @ a)
    return found[0]


def _riccati(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The discrete algebraic Riccati equation, by doubling (Anderson, 1978)."""
    g, h = b @ np.linalg.solve(FORCE_COST, b.T), COST
    for _ in range(60):
        w = np.linalg.inv(np.eye(len(a)) + g @ h)
        a, g, h, before = a @ w @ a, g + a @ w @ g @ a.T, h + a.T @ h @ w @ a, h
        if np.allclose(h, before, rtol=1e-12):
            return h
    raise ArithmeticError("the Riccati equation did not converge")
