"""Plant: a pole on a cart, simulated by MuJoCo in real time, a millisecond in each tick, and pushed every 5 s."""

import os
import sys
from pathlib import Path

import lqr
import mujoco
import numpy as np
from messages import CartForce, PoleState

import horus

DURATION = float(os.environ.get("HORUS_BALANCE_DURATION", "20"))  # s
PICTURE = Path(os.environ.get("HORUS_BALANCE_PICTURE", "out/balance.png"))
STEPS_PER_S = 1000
PUSH = 6.0  # N, at the pole
PUSHES_FROM, PUSHES_EVERY, PUSH_LASTS = 1000, 5000, 100  # steps
FALLEN = 0.8  # rad


class Plant(horus.Node):
    """The pole stands still until the first force comes; then time runs."""

    def __init__(self) -> None:
        super().__init__("plant", subs=[CartForce], pubs=[PoleState], rate=STEPS_PER_S, rt=True, order=1)
        self.model = mujoco.MjModel.from_xml_path(str(lqr.MODEL))
        self.data = mujoco.MjData(self.model)
        self._pole = self.model.body("pole").id
        steps = round(DURATION * STEPS_PER_S)
        self._angles, self._periods, self._ages = np.zeros(steps), np.zeros(steps), np.zeros(steps)
        self.steps = 0
        self.fell = False

    def tick(self) -> None:
        command = self.latest(CartForce)
        if command is not None and self.steps < len(self._angles):
            self._step(command)
        over = self.fell or self.steps >= len(self._angles)
        (x, angle), (v, w) = self.data.qpos, self.data.qvel
        self.send(PoleState, PoleState(x, angle, v, w, step=self.steps, over=over))
        if over:
            self.request_stop()

    def _step(self, command: CartForce) -> None:
        since = self.steps - PUSHES_FROM
        pushed = since >= 0 and since % PUSHES_EVERY < PUSH_LASTS
        self.data.xfrc_applied[self._pole, 0] = PUSH if pushed else 0.0
        self.data.ctrl[0] = command.force
        mujoco.mj_step(self.model, self.data)
        angle = float(self.data.qpos[1])
        self._angles[self.steps] = angle
        self._periods[self.steps] = horus.dt()
        self._ages[self.steps] = self.steps - command.step
        self.fell = abs(angle) > FALLEN
        self.steps += 1

    def report(self) -> None:
        """Say how it went, and draw it."""
        angles, periods, ages = (a[: self.steps] for a in (self._angles, self._periods, self._ages))
        seconds = self.steps / STEPS_PER_S
        if self.fell:
            print(f"the pole fell after {seconds:.3f} s")
        elif self.steps:
            print(
                f"the pole stood for {seconds:.3f} s, at most {np.degrees(abs(angles).max()):.1f} degrees off"
            )
        if not self.steps:
            print("no force ever came: is the controller running?")
            return
        jitter = abs(periods[1:] * 1e6 - 1e6 / STEPS_PER_S)
        print(
            f"tick jitter: p50 {np.percentile(jitter, 50):.0f} us, p99 {np.percentile(jitter, 99):.0f} us; "
            f"age of the forces: p50 {np.percentile(ages, 50):.0f} ms, p99 {np.percentile(ages, 99):.0f} ms"
        )
        import picture  # noqa: PLC0415 - takes a second to load, and is used once

        picture.draw(PICTURE, angles, jitter)
        print(f"picture: {PICTURE}")


def main(*others: horus.Node) -> None:
    """Run the plant, with other nodes beside it; exit code 1 when the pole fell."""
    plant = Plant()
    horus.run(plant, *others)
    plant.report()
    sys.exit(plant.fell or not plant.steps)


if __name__ == "__main__":
    main()
