"""`horus teleop`: keys in, velocities out."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

import horus
from horus_teleop.driver import Driver

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 20.0
_HELP = "w/s or up/down: forward, back   a/d or left/right: turn   any other key: stop   q: quit"


@click.command(epilog="Example: horus teleop --linear 0.5 --topic left/cmd_vel")
@click.option("--topic", default="cmd_vel", show_default=True, help="Where the velocities go.")
@click.option(
    "--linear", default=0.3, show_default=True, type=click.FloatRange(min=0), help="m/s of w and s."
)
@click.option(
    "--angular", default=0.8, show_default=True, type=click.FloatRange(min=0), help="rad/s of a and d."
)
@click.option("--name", default="teleop", show_default=True, help="The node's name.")
def teleop(topic: str, linear: float, angular: float, name: str) -> None:
    """Drive with the keyboard: sends a CmdVel 20 times a second.

    The robot drives while a key is held down, and for half a second after: without keys, and at the end, the
    velocity is zero.
    """
    if not sys.stdin.isatty():
        raise click.UsageError("expected a terminal on stdin, to read keys from it, got none.")
    driver = Driver(linear, angular)

    def tick(node: horus.Node) -> None:
        keys = _pressed()
        if "q" in keys:
            node.request_stop()
        driver.press(keys.replace("q", " "), horus.now())
        forward, left = driver.command(horus.now())
        node.send(topic, horus.CmdVel(forward, left))

    def stop(node: horus.Node) -> None:
        node.send(topic, horus.CmdVel(0.0, 0.0))

    click.echo(f"{_HELP}\nnamespace {_namespace()}, topic {topic}", err=True)
    with _single_keys():
        horus.run(
            horus.Node(
                name,
                tick=tick,
                shutdown=stop,
                enter_safe_state=stop,
                pubs={topic: horus.CmdVel},
                rate=RATE_HZ,
            )
        )


def _namespace() -> str:
    from horus_core.shm import namespace  # noqa: PLC0415 - not needed for --help

    return namespace.current()


def _pressed() -> str:
    """What was typed since the last look; "q" at the end of the terminal."""
    descriptor = sys.stdin.fileno()
    if not select.select([descriptor], [], [], 0)[0]:
        return ""
    return os.read(descriptor, 1024).decode(errors="replace") or "q"


@contextmanager
def _single_keys() -> Iterator[None]:
    """Have the terminal hand out keys as they are pressed, unseen; Ctrl+C stays what it is."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
