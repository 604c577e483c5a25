"""The tables of docs/messages.md, made from the registry: run this file to write them anew."""

from __future__ import annotations

from pathlib import Path

from horus_core.messages import registry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "messages.md"
BEGIN = "<!-- tables: tests/docs/message_tables.py writes and checks them -->\n"
END = "<!-- end of tables -->\n"
BOX = "horus_plugins.messages."
MODULES = ("geometry", "control", "sensor", "safety")
HOMES = {"horus_core.control.estop": BOX + "safety"}  # what the core itself sends


def tables():
    """All tables of the box's types, one for each module, in the order of the modules."""
    types = {name: cls for name, cls in registry.all_types().items() if _home(cls).startswith(BOX)}
    found = {_home(cls).removeprefix(BOX) for cls in types.values()}
    ordered = [*MODULES, *sorted(found - set(MODULES))]
    return "\n".join(_table(module, types) for module in ordered if module in found)


def _table(module, types):
    rows = [f"### {module.capitalize()}", "", "| type | topic | bytes | fields |", "|---|---|---|---|"]
    for name, cls in types.items():
        if _home(cls) == BOX + module:
            topic = f"`{cls.__topic__}`" if cls.__topic__ else "–"
            rows.append(f"| `{name}`: {_sentence(cls)} | {topic} | {_size(cls)} | {_fields(cls)} |")
    return "\n".join([*rows, ""])


def _home(cls):
    return HOMES.get(cls.__module__, cls.__module__)


def _sentence(cls):
    return " ".join((cls.__doc__ or "").partition("\n\n")[0].split()).rstrip(".").replace("|", "\\|")


def _size(cls):
    bounded = any(entry.get("bounded") for entry in cls.__layout__["fields"])
    return f"≤ {cls.__wire_max__}" if bounded else str(cls.__size__)


def _fields(cls):
    bounded = {entry["name"] for entry in cls.__layout__["fields"] if entry.get("bounded")}
    stored = [_field(one, one.name in bounded) for one in cls.__descriptors__ if not one.alias]
    aliases = [f"`{one.name}`" for one in cls.__descriptors__ if one.alias]
    return ", ".join(stored) + (f" ({', '.join(aliases)})" if aliases else "")


def _field(one, bounded):
    kind = one.type.__name__ if one.type is not None else one.kind
    if one.kind == "text":
        kind = f"text({one.size})"
    if one.capacity > 1 or bounded:
        kind += f"[{'≤ ' if bounded else ''}{one.capacity}]"
    return f"`{one.name}` {kind}" + (f" {one.unit}" if one.unit else "")


def replaced(page):
    """The page's text with the tables as they ought to be."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    return f"{head}{begin}\n{tables()}\n{end}{tail}"


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text()))
