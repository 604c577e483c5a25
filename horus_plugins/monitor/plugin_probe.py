"""Loading one plugin in a process of its own, so that one that hangs or kills its process harms nobody.

`plugin_probe.py GROUP NAME DISTRIBUTION` writes a Report as JSON; what the plugin itself writes goes to stderr.
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
from typing import TYPE_CHECKING

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
    words = [__file__, plugin.group, plugin.name, plugin.distribution]
    environment = {**os.environ, rules.ONLY: plugin.distribution}
    for switch in (switches.STRICT, switches.TRACE):
        environment.pop(switch, None)
    child = subprocess.Popen(
        [sys.executable, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = child.communicate(timeout=time_limit_s)
    except subprocess.TimeoutExpired:
        out, err = b"", _end(child)
        failure = f"its import has not ended after {time_limit_s:g} s"
    except BaseException:
        _end(child)
        raise
    else:
        failure = f"it ended its process: exit code {child.returncode}"
    try:
        report = msgspec.json.decode(out, type=Report)
    except msgspec.DecodeError:
        report = Report(FAILED, error=failure)
    report.said = err.decode(errors="replace")[-_SAID_AT_MOST:].strip()
    return report


def _end(child: subprocess.Popen[bytes]) -> bytes:
    """Kill it with all that it has started; what it has said."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    return child.communicate()[1]


def main() -> None:
    """The other process."""
    group, name, distribution = sys.argv[1:]
    answer = os.dup(1)
    os.dup2(2, 1)  # what the plugin prints is not our answer
    found = [
        one for one in discovery.entry_points(group) if (one.name, one.distribution) == (name, distribution)
    ]
    if group in HOMES:
        import_module(HOMES[group])
    plugin = found[0]
    plugin.be_quiet()
    if wrong := kinds.wrong_group(plugin):
        plugin.fail(wrong)
    else:
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
    os._exit(0)  # threads that it started, and what it does at the end, are none of ours


if __name__ == "__main__":
    main()
