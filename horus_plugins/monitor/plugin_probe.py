"""Loading one plugin in a process of its own, so that one that hangs or kills its process harms nobody.

`plugin_probe.py GROUP NAME DISTRIBUTION DESCRIPTOR` writes a Report as JSON to that open file.
Started by its path: -m would put the folder in which somebody happens to stand before all that is installed.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this file's folder, whose modules are nobody's to import by their short names

import os
import signal
import subprocess
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import msgspec

from horus_core.plugins import discovery, kinds, rules, switches
from horus_core.plugins.record import FAILED
from horus_plugins.monitor.plugin_report import Report

if TYPE_CHECKING:
    from horus_core.plugins.record import Plugin

HOMES = {
    "horus.messages": "horus_core.messages.registry",
    "horus.execution": "horus_core.execution.registry",
    "horus.backends": "horus_core.backends.registry",
    "horus.runners": "horus_plugins.runners.registry",
    "horus.lifecycle": "horus_core.plugins.lifecycle",
}
"""By group: the module that says what is done with its plugins."""
_SAID_AT_MOST = 4000


def probe(plugin: Plugin, time_limit_s: float) -> Report:
    """Load a plugin in another process and tell what became of it. A disabled one is loaded, too."""
    environment = {**os.environ, rules.ONLY: plugin.distribution}
    for switch in (switches.STRICT, switches.TRACE):
        environment.pop(switch, None)
    # Files: what the plugin has started may hold a pipe open for as long as it likes, and nobody would see its end.
    with TemporaryFile() as answer, TemporaryFile() as said:
        words = [plugin.group, plugin.name, plugin.distribution, str(answer.fileno())]
        child = subprocess.Popen(
            [sys.executable, __file__, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            pass_fds=[answer.fileno()],
        )
        try:
            failure = f"it ended its process: exit code {child.wait(time_limit_s)}"
        except subprocess.TimeoutExpired:
            failure = f"its import has not ended after {time_limit_s:g} s"
        finally:
            _end(child)
        try:
            report = msgspec.json.decode(_content(answer), type=Report)
        except msgspec.DecodeError:
            report = Report(FAILED, error=failure)
        report.said = _content(said).decode(errors="replace")[-_SAID_AT_MOST:].strip()
    return report


def _content(file: IO[bytes]) -> bytes:
    """All that stands in a file; who else has it open goes on where it was."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill it with all that it has started."""
    if child.returncode is None:
        _kill_descendants(child.pid)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _kill_descendants(pid: int) -> None:
    """Kill what a living process has started, also in other sessions; what its parent has left is not found."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for one in map(int, task.read_text().split()):
                _kill_descendants(one)
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)


def main() -> None:
    """The other process."""
    group, name, distribution, number = sys.argv[1:]
    answer = int(number)
    os.set_inheritable(answer, False)
    found = [
        one for one in discovery.entry_points(group) if (one.name, one.distribution) == (name, distribution)
    ]
    if group in HOMES:
        import_module(HOMES[group])
    plugin = found[0]
    plugin.be_quiet()
    if plugin.error is None and (wrong := kinds.wrong_group(plugin)):
        plugin.fail(wrong)
    elif plugin.error is None:
        plugin.prepare()
    cause, module = plugin.cause, sys.modules.get(plugin.module)
    report = Report(
        plugin.state,
        plugin.gave,
        plugin.error,
        plugin.notes,
        plugin.load_s,
        getattr(module, "HORUS_PLUGIN_API", None),
        getattr(module, "__file__", None),
        "".join(traceback.format_exception(cause)) if cause is not None else None,
    )
    os.write(answer, msgspec.json.encode(report))
    _kill_descendants(os.getpid())
    os._exit(0)  # threads that it started, and what it does at the end, are none of ours


if __name__ == "__main__":
    main()
