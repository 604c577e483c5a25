"""Controller: keeps the pole up by pushing its cart, 1000 times a second, or HORUS_BALANCE_RATE times."""

import os

import lqr
import numpy as np
from messages import CartForce, PoleState

import horus

MOST_FORCE = 300.0  # N


class Controller(horus.Node):
    """Answers each state of the pole with a force."""

    def __init__(self) -> None:
        rate = float(os.environ.get("HORUS_BALANCE_RATE", "1000"))
        super().__init__("controller", subs=[PoleState], pubs=[CartForce], rate=rate, rt=True, order=2)
        self._gains = np.zeros(4)

    def init(self) -> None:
        self._gains = lqr.gains()

    def tick(self) -> None:
        state = self.latest(PoleState)
        if state is None:
            return
        if state.over or self.is_stale(PoleState, max_age=2.0):
            self.request_stop()
        deviation = (state.position, state.angle, state.velocity, state.angular_velocity)
        force = -float(self._gains @ deviation)
        answer = CartForce(force=min(max(force, -MOST_FORCE), MOST_FORCE), step=state.step)
        self.send(CartForce, answer)


if __name__ == "__main__":
    horus.run(Controller())
