"""What `--json` of each command prints: a type of horus_plugins for each, and its JSON Schema in schemas/.

Followers print one object of their shape a line. `make schemas` writes the files; a test holds both against each
other, and what the commands print against the files.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

SHAPES = {
    "blackbox --follow": "horus_plugins.monitor.blackbox:Followed",
    "blackbox": "horus_plugins.monitor.blackbox:Blackboxes",
    "clean": "horus_plugins.monitor.clean:Cleaned",
    "estop": "horus_plugins.monitor.estop:Status",
    "graph": "horus_plugins.monitor.graph:Graph",
    "install": "horus_plugins.installing.changes:Outcome",
    "logs": "horus_plugins.monitor.logs:LogLine",
    "launch --check": "horus_plugins.launch.file.report:Checked",
    "launch --dry-run": "horus_plugins.launch.file.plan:Plan",
    "launch --list": "horus_plugins.launch.file.report:Listing",
    "launch --reload": "horus_plugins.launch.asking:Reloaded",
    "launch --status": "horus_plugins.launch.sessions:SessionList",
    "msg check": "horus_plugins.monitor.message_check:Report",
    "msg diff": "horus_plugins.monitor.message_text:Difference",
    "msg list": "horus_plugins.monitor.message_types:MessageTypes",
    "msg show": "horus_plugins.monitor.message_types:MessageType",
    "new node": "horus_plugins.templates.making:MadeReport",
    "new plugin": "horus_plugins.templates.making:MadeReport",
    "new project": "horus_plugins.templates.making:MadeReport",
    "node info": "horus_plugins.monitor.node_detail:NodeDetail",
    "node kill": "horus_plugins.monitor.steering:Outcome",
    "node list": "horus_plugins.monitor.node_list:NodeList",
    "node pause": "horus_plugins.monitor.steering:Outcome",
    "node restart": "horus_plugins.monitor.steering:Outcome",
    "node resume": "horus_plugins.monitor.steering:Outcome",
    "package check": "horus_plugins.packages.report:PackageReport",
    "package info": "horus_plugins.packages.report:PackageReport",
    "package list": "horus_plugins.packages.report:PackageList",
    "param delete": "horus_plugins.monitor.params:Outcome",
    "param get": "horus_plugins.monitor.params:ParamList",
    "param list": "horus_plugins.monitor.params:ParamList",
    "param load": "horus_plugins.monitor.params:Outcome",
    "param save": "horus_plugins.monitor.params_file:Saved",
    "param set": "horus_plugins.monitor.params:Outcome",
    "plugin check": "horus_plugins.monitor.plugins:PluginList",
    "plugin disable": "horus_plugins.monitor.plugins:Switched",
    "plugin enable": "horus_plugins.monitor.plugins:Switched",
    "plugin info": "horus_plugins.monitor.plugins:PluginList",
    "plugin list": "horus_plugins.monitor.plugins:PluginList",
    "service install": "horus_plugins.services.installed:Installed",
    "service status": "horus_plugins.services.installed:Services",
    "service uninstall": "horus_plugins.services.installed:Uninstalled",
    "topic bw": "horus_plugins.monitor.topic_meter:Rate",
    "topic delay": "horus_plugins.monitor.topic_delay:Delay",
    "topic find": "horus_plugins.monitor.topic_find:FoundTopics",
    "topic hz": "horus_plugins.monitor.topic_meter:Rate",
    "topic info": "horus_plugins.monitor.topic_info:TopicInfo",
    "topic echo": "horus_plugins.echo.shapes:ECHO",
    "topic list": "horus_plugins.monitor.topics:TopicList",
    "topic pub": "horus_plugins.echo.publishing:Published",
    "uninstall": "horus_plugins.installing.changes:Outcome",
    "version": "horus_plugins.monitor.version:Versions",
}
"""The type that each command prints: module and name; or a schema, of what may be anything.

A follower's own shape stands under `command --follow`.
"""

FOLDER = Path(__file__).parent / "schemas"


def file(command: str) -> Path:
    """Where the schema of a command stands."""
    return FOLDER / f"{command.replace(' --', '-').replace(' ', '-')}.json"


def schema(command: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what a command prints."""
    import msgspec  # noqa: PLC0415 - only tools for developers need it

    module, _, name = SHAPES[command].partition(":")
    shape = getattr(importlib.import_module(module), name)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"horus {command} --json",
    }
    return head | (shape if isinstance(shape, dict) else _null_last(msgspec.json.schema(shape)))


def _null_last(part: Any) -> Any:
    """The same, with null as the last alternative: where it stands depends on msgspec's version."""
    if isinstance(part, list):
        return [_null_last(one) for one in part]
    if not isinstance(part, dict):
        return part
    part = {key: _null_last(one) for key, one in part.items()}
    if isinstance(part.get("anyOf"), list):
        part["anyOf"].sort(key={"type": "null"}.__eq__)
    return part


def text(command: str) -> str:
    """The file's text."""
    return json.dumps(schema(command), indent=2) + "\n"


def write() -> None:
    """Write all files, and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    for stale in {*FOLDER.glob("*.json")} - {file(command) for command in SHAPES}:
        stale.unlink()
    for command in SHAPES:
        file(command).write_text(text(command))


if __name__ == "__main__":
    write()
