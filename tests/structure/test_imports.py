"""The one rule of imports, and what `import horus` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "horus_core": ROOT / "horus_core",
    "horus_plugins": ROOT / "horus_plugins",
    "horus_cli": ROOT / "cli" / "horus_cli",
    "horus": ROOT / "horus",
}
MAY_IMPORT = {
    "horus_core": set(),
    "horus_plugins": {"horus_core"},
    "horus_cli": {"horus_core", "horus_plugins"},
    "horus": {"horus_core", "horus_plugins"},
}
HEAVY = ("numpy", "asyncio", "pluggy", "importlib.metadata", "importlib_metadata", "click", "yaml", "torch")
SLOW = ("msgspec", "dataclasses", "inspect", "hashlib", "shutil", "socket", "queue", "difflib")
"""What costs a start 2 to 10 ms each."""


def _imported(path):
    """The modules that a file names in import statements and import_module calls, wherever they stand."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            yield from (one.value for one in node.args[:1] if isinstance(one, ast.Constant))


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_down_only(package):
    """horus_cli -> horus_plugins -> horus_core, and nothing in the box imports horus."""
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in [*PACKAGES[package].rglob("*.py"), *PACKAGES[package].rglob("*.pyi")]
        for module in _imported(path)
        if (top := module.partition(".")[0]) in PACKAGES and top != package and top not in MAY_IMPORT[package]
    ]
    assert wrong == []


def test_the_core_names_no_plugin():
    """Not even as text: the core finds plugins through entry points."""
    for path in PACKAGES["horus_core"].rglob("*.py"):
        strings = [
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert not any(text.startswith(("horus_plugins", "horus_cli")) for text in strings), path


def _modules_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split())


def test_import_horus_loads_nothing_heavy():
    """`import horus` loads neither numpy, asyncio, pluggy nor the metadata of distributions."""
    before = _modules_after("")  # what this interpreter's own start-up files load is not ours
    assert _modules_after("import horus") & set(HEAVY) <= before


def test_a_node_with_typed_messages_loads_nothing_heavy(horus_namespace):
    """A process that runs a node on a typed topic does without them, too, and without what else is slow to import."""
    before = _modules_after("")
    code = (
        "import horus\n"
        "node = horus.Node('a', pubs={'cmd_vel': horus.CmdVel}, "
        "tick=lambda node: node.send('cmd_vel', horus.CmdVel()))\n"
        "horus.run(node, duration=0)"
    )
    assert _modules_after(code) & {*HEAVY, *SLOW} <= before


def test_the_command_loads_nothing_heavy_for_help():
    """`horus --help` reads no metadata and loads no numpy."""
    code = "import sys\nfrom horus_cli.group import horus\nhorus(['--help'], standalone_mode=False)"
    loaded = _modules_after(code)
    assert loaded & (set(HEAVY) - {"click"}) <= _modules_after("")
