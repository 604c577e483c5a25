"""The JSON Schema of launch files, made of the format: editors complete and check by it while somebody writes."""

from __future__ import annotations

from typing import Any

import msgspec

from horus_plugins.launch.file import format as spec
from horus_plugins.launch.file.expanding import GROUP
from horus_plugins.launch.file.parameters import OURS, PARAM

ID = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"$ref": "#/$defs/Reference"}
_SCALARS = ("string", "integer", "number", "boolean")


def schema() -> dict[str, Any]:
    """The schema (2020-12). What stands for a value, `${NAME}`, is accepted wherever a single value is."""
    kinds = (spec.FileSpec, spec.NodeSpec, spec.GroupSpec, spec.IncludeSpec)
    _, parts = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    defs = {name: _with_references(part) for name, part in parts.items()}
    for part in defs.values():
        properties = part["properties"]
        if "params" in properties:
            properties["params"] |= {"additionalProperties": {"$ref": "#/$defs/Param"}} | _PARAM_NAMES
        if "nodes" in properties:
            properties["nodes"]["items"] = {"$ref": "#/$defs/Item"}
        if "env" in properties:
            properties["env"]["propertyNames"] = {
                "minLength": 1,
                "pattern": "^[^=]+$",
                "not": {"enum": _OURS},
            }
    defs["NodeSpec"]["oneOf"] = [{"required": [key]} for key in ("package", "command", "cmd")]
    defs["NodeSpec"]["dependentRequired"] = {"topics": ["package"]}
    for name in ("FileSpec", "GroupSpec"):
        defs[name]["anyOf"] = [{"required": ["nodes"]}, {"required": ["include"]}]
    defs["GroupSpec"]["properties"]["foreach"] |= _FOREACH
    defs["FileSpec"]["patternProperties"] = {"^x-": True}
    return {
        "$schema": ID,
        "title": "HORUS launch file",
        **{key: value for key, value in defs.pop("FileSpec").items() if key != "title"},
        "$defs": {**defs, **_OWN},
    }


def _with_references(part: Any) -> Any:
    """The same, with references accepted wherever a single value is."""
    if not isinstance(part, dict):  # additionalProperties: false
        return part
    if part.get("type") == "object":
        inner = {key: _with_references(part[key]) for key in ("additionalProperties",) if key in part}
        properties = {key: _with_references(one) for key, one in part.get("properties", {}).items()}
        return {**part, **inner, **({"properties": properties} if "properties" in part else {})}
    if "anyOf" in part:
        return {**part, "anyOf": [*(_with_references(one) for one in part["anyOf"]), _REFERENCE]}
    if "items" in part:
        return {**part, "items": _with_references(part["items"])}
    if part.get("type") in _SCALARS or "enum" in part:
        about = {key: part[key] for key in ("description", "default") if key in part}
        return {**about, "anyOf": [{key: one for key, one in part.items() if key not in about}, _REFERENCE]}
    return part


_OURS = sorted(OURS)
_PARAM_NAMES = {"propertyNames": {"pattern": f"^{PARAM.pattern}$"}}
_VALUE = {"anyOf": [{"type": "string", "pattern": "^[A-Za-z0-9_.-]+$"}, {"type": "number"}]}
_FOREACH = {
    "minProperties": 1,
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    "additionalProperties": {
        "type": "array",
        "minItems": 1,
        "items": {
            "anyOf": [
                *_VALUE["anyOf"],
                {"type": "object", "required": ["name"], "properties": {"name": _VALUE}},
                _REFERENCE,
            ]
        },
    },
}
_OWN = {
    "Item": {
        "description": "A node, or a group of nodes.",
        "if": {"anyOf": [{"required": [key]} for key in GROUP]},
        "then": {"$ref": "#/$defs/GroupSpec"},
        "else": {"$ref": "#/$defs/NodeSpec"},
        "type": "object",
    },
    "Param": {
        "description": "A value that keeps its type.",
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            {"type": "array", "items": {"$ref": "#/$defs/Param"}},
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/Param"}},
        ],
    },
    "Reference": {
        "description": "What is replaced: ${NAME}, ${NAME:-default} or ${param:name}.",
        "type": "string",
        "pattern": r"\$\{",
    },
}
