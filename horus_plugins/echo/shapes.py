"""What `topic echo --json` prints, as JSON Schema: any value, where objects whose keys begin with `$` mean more."""

from __future__ import annotations

from typing import Any


def _only(tag: str, inside: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "properties": {tag: inside},
        "required": [tag],
        "additionalProperties": False,
    }


def _with(required: tuple[str, ...], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*required],
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_BASE64 = {"type": "string", "contentEncoding": "base64"}
_VALUE = {"$ref": "#/$defs/Value"}
_SHAPE = {"type": "array", "items": {"type": "integer", "minimum": 0}}
_FLOAT = {"type": "string", "pattern": "^(nan|inf|-inf|nan:[0-9a-f]{16})$"}
_PAIR = {"type": "array", "prefixItems": [_VALUE, _VALUE], "minItems": 2, "maxItems": 2}

_DEFS = {
    "Value": {
        "anyOf": [
            {"type": ["null", "boolean", "number", "string"]},
            {"type": "array", "items": _VALUE},
            {"$ref": "#/$defs/Object"},
            {"$ref": "#/$defs/Tagged"},
        ]
    },
    "Object": {
        "description": "A dict whose keys are texts that do not begin with $; a nested message.",
        "type": "object",
        "propertyNames": {"pattern": "^(?!\\$)"},
        "additionalProperties": _VALUE,
    },
    "Tagged": {
        "description": "What JSON lacks.",
        "anyOf": [
            _only("$float", _FLOAT, "A float that is not finite; of a NaN with other bits all 64."),
            _only("$bytes", _BASE64, "Bytes."),
            _only(
                "$array",
                _with(("dtype", "shape", "data"), {"dtype": _TEXT, "shape": _SHAPE, "data": _BASE64}),
                "A numpy array: its elements in C order.",
            ),
            _only("$scalar", _with(("dtype", "data"), {"dtype": _TEXT, "data": _BASE64}), "A numpy scalar."),
            _only(
                "$dict", {"type": "array", "items": _PAIR}, "A dict with other keys, as [key, value] pairs."
            ),
            _only("$list", {"type": "array", "items": _VALUE}, "A list that is a key of such a dict."),
            _only(
                "$ext",
                _with(("code", "data"), {"code": {"type": "integer"}, "data": _BASE64}),
                "Another extension of MessagePack.",
            ),
        ],
    },
    "Message": {
        "description": "A message of a message class: its name, then its fields.",
        "type": "object",
        "properties": {"$type": _TEXT},
        "required": ["$type"],
        "patternProperties": {"^(?!\\$)": _VALUE},
        "additionalProperties": False,
    },
    "About": {
        "description": "With --meta: what is known of the message in $message.",
        "type": "object",
        "properties": {
            "topic": _TEXT,
            "sequence": {"type": "integer"},
            "time": {"type": "string", "format": "date-time"},
            "publish_ns": {"type": "integer"},
            "publisher": _TEXT,
            "$message": {"anyOf": [{"$ref": "#/$defs/Message"}, _VALUE]},
        },
        "required": ["topic", "sequence", "time", "publish_ns", "publisher", "$message"],
        "additionalProperties": False,
    },
}

ECHO: dict[str, Any] = {
    "anyOf": [{"$ref": "#/$defs/Message"}, {"$ref": "#/$defs/About"}, _VALUE],
    "$defs": _DEFS,
}
"""One line of `topic echo --json`."""
