"""HORUS: a node's send and recv inside its tick."""

from __future__ import annotations

from typing import Any

import loops
import protocol

import horus

MESSAGE = horus.CmdVel(linear=1.0, angular=0.5)


def pair(count: int, burst: int) -> dict[str, Any]:
    answers: list[dict[str, Any]] = []

    def tick(node: horus.Node) -> None:
        answers.append(loops.named_pair(node, "cmd", MESSAGE, count, burst))

    topics = {"cmd": horus.CmdVel}
    horus.run(horus.Node("bench", tick=tick, pubs=topics, subs=topics, rate=100), duration=0)
    return answers[0]


protocol.serve(pair=pair)
