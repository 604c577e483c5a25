"""What HORUS_PROMETHEUS says: `host:port`, or `host:first-last` for the first port that is free."""

from __future__ import annotations

import re

_FORM = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/]+):(?P<first>\d+)(?:-(?P<last>\d+))?")
_MOST = 65535


def parse(text: str) -> tuple[str, range]:
    """The host and the ports to try. Raises ValueError, which says what was expected."""
    match = _FORM.fullmatch(text.strip())
    if match is not None:
        first, last = int(match["first"]), int(match["last"] or match["first"])
        if 0 < first <= last <= _MOST:
            return match["host"].strip("[]"), range(first, last + 1)
    raise ValueError(f"expected an address like 127.0.0.1:9464 or 127.0.0.1:9464-9472, got {text!r}")
