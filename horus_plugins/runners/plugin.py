"""The runners that come with HORUS, in the order in which they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.plugins.marks import hookimpl
from horus_plugins.packages.runner import PackageRunner
from horus_plugins.runners.executable import ExecutableRunner
from horus_plugins.runners.python import PythonRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.abc import Runner


@hookimpl
def horus_register_runners(register: Callable[[Runner], None]) -> None:
    """Python files, executables, packaged nodes."""
    for runner in (PythonRunner(), ExecutableRunner(), PackageRunner()):
        register(runner)
