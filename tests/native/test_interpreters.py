"""Sub-interpreters, which HORUS refuses, and free-threaded builds, for which it asks for the GIL."""

from __future__ import annotations

import sys
import sysconfig

import pytest

MAKE = """
import sys
import warnings
warnings.simplefilter("ignore")  # the module's name is Python's own affair
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

def make(kind):
    if hasattr(interpreters, "new_config"):  # 3.13
        if kind == "shared GIL, checked":
            return interpreters.create(
                interpreters.new_config("legacy", gil="shared", check_multi_interp_extensions=True)
            )
        return interpreters.create(kind)
    return interpreters.create(isolated=kind == "isolated")
"""

REFUSED = """
def attempt(kind):
    inside = make(kind)
    interpreters.run_string(inside, '''
try:
    import horus
except ImportError as error:
    print(error, flush=True)
else:
    print("imported", flush=True)
''')
    interpreters.destroy(inside)

attempt(KIND)  # before the main interpreter has imported it
import horus
topic = horus.Topic("t", dict)
assert topic.send({"a": 1}) and topic.recv() == {"a": 1}
attempt(KIND)  # and after
attempt(KIND)
assert topic.send({"a": 2}) and topic.recv() == {"a": 2}
image = horus.Image.from_numpy(__import__("numpy").zeros((4, 4, 3), "uint8"))
assert horus.Topic("pixels").send(image)
print("done")
"""

KINDS = ["isolated", "legacy"]
if sys.version_info >= (3, 13):
    KINDS.append("shared GIL, checked")


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the tests know the private module of 3.10 to 3.13")
@pytest.mark.parametrize("kind", KINDS)
def test_a_sub_interpreter_is_refused_by_name(program, kind):
    """Importing horus there is an ImportError that says so, before and after the main one has; which works on."""
    out, _ = program(f"KIND = {kind!r}\n{MAKE}{REFUSED}").finish()
    *refused, last = out.splitlines()
    assert last == "done"
    assert len(refused) == 3
    # From 3.12 on Python itself refuses where it looks at what the module declares.
    said_by_python = kind != "legacy" and sys.version_info >= (3, 12)
    says = "does not support loading in subinterpreters" if said_by_python else "sub-interpreter"
    assert all(says in line for line in refused), refused


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python always has the GIL")
def test_a_free_threaded_python_turns_the_gil_on(program):
    """A free-threaded interpreter that imports horus has the GIL from then on."""
    out, _ = program("import sys\nimport horus\nprint(sys._is_gil_enabled())\n").finish()
    assert out.strip() == "True"
