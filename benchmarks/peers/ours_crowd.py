"""HORUS: some nodes with some topics each, which every one of them publishes and one of them reads."""

from __future__ import annotations

from typing import Any

import protocol

import horus

OPEN: list[Any] = []


def attach(who: int, nodes: int, topics: int) -> None:
    for node in range(nodes):
        for number in range(topics):
            name, topic = f"node{who}_{node}", f"{who}/{node}/topic{number}"
            OPEN.append(horus.Topic(topic, horus.CmdVel, capacity=16, _node=name))
            OPEN[-1].send(horus.CmdVel(linear=1.0))
            OPEN.append(horus.Topic(topic, horus.CmdVel, _node=name))
            OPEN[-1].recv()


protocol.serve(attach=attach)
