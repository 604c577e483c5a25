"""What an installed package has, found out in processes of their own: a package that fails or hangs stops no tool."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from horus_core.backends import registry
from horus_core.errors import HorusError, RegionError
from horus_core.shm import cleaner, namespace
from horus_plugins.launch import system
from horus_plugins.packages.report import FunctionReport, PackageReport
from horus_plugins.runners.python import interpreter

if TYPE_CHECKING:
    from horus_plugins.packages.installed import Package, PackagedNode
    from horus_plugins.packages.settings import Settings

_PROBE = Path(__file__).with_name("probe.py")


def describe(
    package: Package, settings: Settings, *, timeout_s: float, check_s: float | None = None
) -> PackageReport:
    """What each of its nodes declares; with `check_s` each runs for so long, and what it does is compared.

    The time limit is for each of them, on top of the run. What fails stands in the report. Raises RegionError for a
    check where there is no shared memory.
    """
    if check_s is not None:
        _require_shared_memory(package.distribution)
    reports = [
        _function(package.distribution, node, settings, timeout_s=timeout_s, check_s=check_s)
        for node in package.nodes
    ]
    return PackageReport(package.distribution, package.version, reports)


def _require_shared_memory(distribution: str) -> None:
    """What a check looks at are regions: over a backend of one process there are none that it could see."""
    try:
        namespace.directory(_new_namespace()).rmdir()
    except RegionError as error:
        raise RegionError(
            f"Checking {distribution} failed: expected {namespace.SHM} to be writable, where its topics are looked "
            f"at whatever {registry.VARIABLE} says, got {error.__cause__ or error}. Make room there, or mount it "
            "writable; `horus package info` does without."
        ) from error


def _new_namespace() -> str:
    return f"package-{os.getpid()}-{os.urandom(3).hex()}"


def _function(
    distribution: str, node: PackagedNode, settings: Settings, *, timeout_s: float, check_s: float | None
) -> FunctionReport:
    with tempfile.TemporaryDirectory(prefix="horus-package-") as folder:
        out, said = Path(folder, "report.json"), Path(folder, "output")
        word = f"{distribution}:{node.name}"
        what = (
            ["describe", word, str(out), "0"] if check_s is None else ["check", word, str(out), str(check_s)]
        )
        command = [interpreter(word), str(_PROBE), *what, *settings.words()]
        limit_s = timeout_s + (check_s or 0)
        code = run(command, said, limit_s)
        report = FunctionReport(node.name, node.value)
        with suppress(FileNotFoundError, msgspec.MsgspecError):
            report = msgspec.json.decode(out.read_bytes(), type=FunctionReport)
        report.value = node.value
        whole = code == 0 and report.nodes and (check_s is None or report.check is not None)
        if not whole and not report.error:
            report.error = _how(word, code, limit_s, said)
        return report


def run(command: list[str], said: Path, limit_s: float) -> int | None:
    """Run a command in a namespace of its own: its exit code, None when time was up.

    It, and what it started in its group, is gone then.
    """
    where = _new_namespace()
    launcher = os.getpid()
    try:
        with said.open("wb") as output:
            process = subprocess.Popen(
                command,
                # Topics in shared memory, where they can be seen, whatever the user's are in.
                env={**os.environ, namespace.VARIABLE: where, registry.VARIABLE: "shm"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Safe here: the command has no threads.
                preexec_fn=lambda: system.die_with(launcher),  # noqa: PLW1509
            )
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        with suppress(HorusError):
            cleaner.clean([where], records=True)


def _how(word: str, code: int | None, limit_s: float, said: Path) -> str:
    if code is None:
        return (
            f"Looking into {word} failed: expected an end within {limit_s:g} s, got none: it hangs, or needs longer "
            f"(--timeout)."
        )
    how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    lines = said.read_text(errors="replace").strip().splitlines()
    last = f" It said last: {lines[-1]}" if lines else ""
    return f"Looking into {word} failed: its process ended with {how}.{last}"
