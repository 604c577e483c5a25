"""Where a process stands among equal ones: HORUS_NODE_NAMESPACE goes before the names that its program uses.

With `robot1` the topic `cmd_vel` is `robot1/cmd_vel` and the node `arm` is `robot1.arm`, so that a fleet of equal
robots shares the shared memory of one HORUS_NAMESPACE. A topic that begins with `/` is absolute, and HORUS's own stay
as they are. What others see, and what errors name, is the whole name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from horus_core import names
from horus_core.errors import InvalidNameError

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "HORUS_NODE_NAMESPACE"


def current() -> str:
    """What goes before topics, `robot1/`; "" where nothing does. Raises InvalidNameError for a value that is none."""
    given = os.environ.get(VARIABLE, "")
    stripped = given.strip("/")
    if not stripped:
        return ""
    try:
        names.unreserved(names.topic_name(stripped))
        names.node_name(stripped.replace("/", "."))
    except InvalidNameError as error:
        raise InvalidNameError(f"{VARIABLE}={given[: names.MAX_NAME]} cannot be used. {error}") from None
    return stripped + "/"


def topic(name: str, before: str | None = None) -> str:
    """The topic that a program means by a name; `before`, if it is known, is what current() says.

    Raises InvalidNameError when that is no name of a topic.
    """
    plain = names.topic_name(name)
    before = current() if before is None else before
    if not before or name.startswith("/") or names.is_reserved(plain):
        return plain
    return _whole(names.topic_name, before + plain, before)


def node(name: str) -> str:
    """The name of a node, or of a scheduler, that a program calls so."""
    plain = names.node_name(name)
    before = current()
    return _whole(names.node_name, before.replace("/", ".") + plain, before) if before else plain


def _whole(check: Callable[[str], str], name: str, before: str) -> str:
    try:
        return check(name)
    except InvalidNameError as error:
        raise InvalidNameError(f"{error} {VARIABLE} put {before!r} before it.") from None
