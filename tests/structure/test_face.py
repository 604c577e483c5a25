"""`horus/__init__.py`: one table of names, the same for users, type checkers and editors."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import horus

FACE = Path(horus.__file__)
TREE = ast.parse(FACE.read_text(encoding="utf-8"))


def _typed_imports():
    """{name: module} of what stands under TYPE_CHECKING, apart from the typing helpers."""
    found = {}
    for node in TREE.body:
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            for one in node.body:
                for alias in one.names:
                    assert alias.asname == alias.name, (
                        f"{alias.name}: without `as`, checkers do not re-export it"
                    )
                    found[alias.name] = one.module
    return found


# spec: E1
def test_the_four_names_of_the_guide_are_there():
    """`horus.Node`, `horus.Scheduler`, `horus.NodeState`, `horus.run()`: what the production guide uses."""
    assert isinstance(horus.Node, type)
    assert isinstance(horus.Scheduler, type)
    assert callable(horus.run)
    promised = "UNINITIALIZED INITIALIZING RUNNING PAUSED ERROR HUNG CRASHED STOPPING STOPPED"
    assert [state.name for state in horus.NodeState] == promised.split()


@pytest.mark.parametrize("name", horus.__all__)
def test_every_public_name_resolves(name):
    """Whatever __all__ lists is there."""
    assert getattr(horus, name) is not None


def test_type_checkers_see_what_is_there_at_run_time():
    """The imports under TYPE_CHECKING are the lazy table, name by name and module by module."""
    assert _typed_imports() == horus._HOME_OF


def test_all_is_the_lazy_table():
    """__all__ and dir() list the table and what the module itself defines; nothing twice."""
    assert set(horus.__all__) - set(horus._HOME_OF) == {"__version__", "ms", "us"}
    assert len(horus.__all__) == len(set(horus.__all__))
    assert dir(horus) == sorted(horus.__all__)


def test_an_unknown_name_is_an_attribute_error():
    """As with any module, so that hasattr and `from horus import` behave."""
    assert not hasattr(horus, "Nod")
    with pytest.raises(ImportError, match="cannot import name 'Nod'"):
        exec("from horus import Nod")


def test_star_import_gives_all():
    """`from horus import *` gives every public name."""
    code = "from horus import *\nimport horus\nassert set(horus.__all__) <= set(globals())"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_face_has_no_logic():
    """It defines nothing but the two functions that make its names lazy."""
    defined = [node.name for node in TREE.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert defined == ["__getattr__", "__dir__"]
