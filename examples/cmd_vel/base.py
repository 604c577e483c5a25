"""Robot base: follows cmd_vel by dead reckoning and prints where it is; stops when commands stop coming."""

import math

import horus

RATE_HZ = 50


class Base:
    """A differential drive: it turns by angular and moves ahead by linear."""

    def __init__(self) -> None:
        self.x = self.y = self.theta = 0.0
        self._command = horus.CmdVel()
        self._ticks = 0

    def tick(self, node: horus.Node) -> None:
        for command in node.recv_all("cmd_vel"):
            self._command = command
        if node.is_stale("cmd_vel", max_age=0.2):
            self._command = horus.CmdVel()
        self.theta += self._command.angular / RATE_HZ
        self.x += self._command.linear * math.cos(self.theta) / RATE_HZ
        self.y += self._command.linear * math.sin(self.theta) / RATE_HZ
        self._ticks += 1
        if self._ticks % (RATE_HZ // 5) == 0:
            print(
                f"x {self.x:+.2f} m  y {self.y:+.2f} m  heading {math.degrees(self.theta):+.0f} deg",
                flush=True,
            )


node = horus.Node("base", subs=[horus.CmdVel], tick=Base().tick, rate=RATE_HZ)

if __name__ == "__main__":
    horus.run(node)
