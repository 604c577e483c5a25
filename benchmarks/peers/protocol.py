"""How a measured program talks with the harness: one JSON object a line, commands in, answers out.

Programs run in venvs of their own: what stands here uses the standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def serve(**commands: Callable[..., dict[str, Any] | None]) -> None:
    """Does what the harness asks for until it closes our input.

    Libraries print (horus-robotics from Rust): the answers go through a descriptor that only we know, and
    what is printed goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        try:
            answer = commands[request.pop("do")](**request) or {}
        except Exception as error:  # noqa: BLE001 - the harness says what failed, and where
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
