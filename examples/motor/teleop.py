"""Drives the compiled motor controller and prints how fast the wheels turn."""

import math

import horus


class WheelSpeeds(horus.Message, topic="wheel_speeds"):
    """What the controller sets; the same struct as in motor_controller.c."""

    left: horus.f32 = horus.field(default=0.0, unit="m/s")
    right: horus.f32 = horus.field(default=0.0, unit="m/s")


def tick(node: horus.Node) -> None:
    node.send("cmd_vel", horus.CmdVel(linear=0.5, angular=0.5 * math.sin(horus.elapsed())))
    speeds = node.latest("wheel_speeds")
    if speeds and horus.tick() % 10 == 0:
        print(f"wheels: left {speeds.left:.2f} m/s, right {speeds.right:.2f} m/s", flush=True)


node = horus.Node("teleop", pubs=[horus.CmdVel], subs={"wheel_speeds": WheelSpeeds}, tick=tick, rate=50)

if __name__ == "__main__":
    horus.run(node)
