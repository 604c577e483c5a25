"""What every backend promises, as tests that its author runs: `horus.testing.backend_conformance`."""

from __future__ import annotations

from typing import Any


def backend_conformance(
    name: str, *, across_processes: bool = True, latched_across: bool = True, types_across: bool = True
) -> type:
    """A class of tests for pytest, of a backend that is installed under that name.

    In a file of tests::

        TestMqtt = backend_conformance("mqtt")

    Each test has a namespace of its own. What the backend needs to run (a server, variables) is the file's, as an
    `autouse` fixture. What a backend cannot offer is left out: `across_processes=False` where other processes take no
    part, `latched_across=False` where a process that starts later gets no last message from another one,
    `types_across=False` where two processes that disagree about a type are not told.
    """
    import pytest  # noqa: PLC0415 - horus.testing is imported where pytest is not installed, too

    for part in ("accounts", "contents", "waits", "processes"):
        pytest.register_assert_rewrite(f"horus_core.testing.conform_{part}")
    from horus_core.testing.conform_accounts import Accounts  # noqa: PLC0415 - rewritten when first imported
    from horus_core.testing.conform_contents import Contents  # noqa: PLC0415
    from horus_core.testing.conform_processes import Latched, Processes, Types  # noqa: PLC0415
    from horus_core.testing.conform_waits import Waits  # noqa: PLC0415

    parts: list[type] = [Accounts, Contents, Waits]
    if across_processes:
        parts.append(Processes)
        parts += [Latched] if latched_across else []
        parts += [Types] if types_across else []
    attributes: dict[str, Any] = {"backend": name, "__doc__": f"The promises of topics, over {name!r}."}
    return type(f"Test_{name}", tuple(parts), attributes)
