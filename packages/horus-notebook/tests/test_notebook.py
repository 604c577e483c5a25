"""`horus run robot.ipynb`, with notebooks as Jupyter writes them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import nbformat
import pytest
from horus_notebook import magics, notebook
from nbformat import v4

import horus

LIMIT_S = 60.0
RUN = [sys.executable, "-m", "horus_cli", "run"]


@pytest.fixture(autouse=True)
def _namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def write(tmp_path):
    """Writes a notebook: text is a code cell, a tuple one with tags."""

    def build(*cells, name="robot.ipynb", **metadata):
        made = v4.new_notebook(cells=[v4.new_markdown_cell("# A robot")], metadata=metadata)
        for cell in cells:
            source, *tags = (cell,) if isinstance(cell, str) else cell
            made.cells.append(v4.new_code_cell(source, metadata={"tags": tags}))
        nbformat.write(made, str(tmp_path / name))
        return tmp_path / name

    return build


def run(path, *arguments):
    command = [*RUN, str(path), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_S)


TWO_NODES = (
    "import horus\n",
    """def look(node):
    node.send("seen", {"n": horus.tick()})
camera = horus.Node("camera", tick=look, rate=100, pubs=["seen"])""",
    """%matplotlib inline
def drive(node):
    message = node.recv("seen")
    if message is not None and message["n"] == 3:
        print("three", flush=True)
def park():
    print("parked", flush=True)
driver = horus.Node("driver", tick=drive, rate=100, subs=["seen"], shutdown=park)""",
    "horus.run(camera, driver)",
    "print('over', __name__)",
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_nodes_until_ctrl_c(write, number):
    """Nodes of several cells run together; Ctrl+C and SIGTERM shut them down; later cells run, and the code is 0."""
    process = subprocess.Popen([*RUN, str(write(*TWO_NODES))], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "three\n"
        process.send_signal(number)
        assert process.communicate(timeout=LIMIT_S)[0] == "parked\nover __main__\n"
    assert process.returncode == 0


def test_beside_a_python_file(write, tmp_path):
    """With several targets each line is labelled, and the end of one leaves the other alone."""
    (tmp_path / "hello.py").write_text("print('from a file')\n")
    done = run(write("print('from a notebook')"), str(tmp_path / "hello.py"))
    assert done.returncode == 0, done.stderr
    labelled = sorted(" ".join(line.split()) for line in done.stdout.splitlines())
    assert next(line for line in labelled if "notebook" in line).startswith(("[robot]", "robot"))
    assert any("from a file" in line for line in labelled)


def test_an_error_names_its_cell(write):
    """The traceback shows cells and their lines, from the first frame on; exit code 1, without the later cells."""
    path = write(
        "def divide(a):\n    # by zero\n    return a / 0", "", "print('first')\ndivide(1)", "print('never')"
    )
    done = run(path)
    assert (done.returncode, done.stdout) == (1, "first\n")
    told = [line for line in done.stderr.splitlines()[1:] if line.strip(" ~^")]  # 3.11 underlines
    assert told == [
        "Traceback (most recent call last):",
        f'  File "{path} In[2]", line 2, in <module>',
        "    divide(1)",
        f'  File "{path} In[1]", line 3, in divide',
        "    return a / 0",
        "ZeroDivisionError: division by zero",
        f"{path}: cell In [2] failed.",
    ]


def test_a_failing_node_shows_its_cell(write):
    """What a tick raises is logged, and raised, with the lines of the cell that has it."""
    node = "import horus\ndef tick():\n    raise OSError('no motor')\narm = horus.Node('arm', tick=tick, rate=10)"
    done = run(write(node, "horus.run(arm)"))
    assert done.returncode == 1
    assert "In[1]" in done.stderr
    assert "raise OSError('no motor')" in done.stderr
    assert done.stderr.endswith("cell In [2] failed.\n")


def test_it_is_a_program(write, tmp_path):
    """Arguments reach sys.argv, modules beside it are imported, cells may await, sys.exit() gives the code."""
    (tmp_path / "helper.py").write_text("WORD = 'helped'\n")
    path = write(
        "import asyncio, sys\nimport helper\nprint(sys.argv[1:], helper.WORD)",
        "async def later():\n    await asyncio.sleep(60)\nleft = asyncio.get_running_loop().create_task(later())\n"
        "print(await asyncio.sleep(0, 'awaited'))",
        "display('shown')",
        "sys.exit(7)",
    )
    done = run(path, "--", "--fast", "2")
    assert done.returncode == 7, done.stderr
    assert done.stdout == "['--fast', '2'] helped\nawaited\nshown\n"
    assert len(done.stderr.splitlines()) == 1, "nothing but the namespace"


def test_cells_with_the_tag_are_left_out(write):
    """skip-execution, as for nbclient; the numbers of the others stay those that Jupyter shows."""
    path = write("print(1)", ("!pip install horus-core", "skip-execution"), "1 / 0")
    done = run(path)
    assert (done.returncode, done.stdout) == (1, "1\n")
    assert done.stderr.endswith("cell In [3] failed.\n")


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (
            "x = 1\n!pip list",
            "expected Python, got '!pip list', which only IPython knows (cell In [2], line 2)",
        ),
        ("%%time\nx = 1", "got '%%time'"),
        ("files = !ls", "got 'files = !ls'"),
        ("%load_ext rich\n%run other.py", "got '%run other.py'"),
        ("horus?", "got 'horus?'"),
        ("if True:\nx = 1", 'In[2]", line 2'),
        ("return 1", "SyntaxError: 'return' outside function"),
    ],
)
def test_what_is_no_python_is_told_before_anything_starts(write, cell, says):
    """Magics, shell lines and syntax errors: the cell, the line, and no cell has run."""
    done = run(write("print('never')", cell))
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "process.py" not in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("print('no notebook')", "expected a notebook, which is JSON"),
        (json.dumps({"nbformat": 3, "worksheets": []}), "got one of format 3"),
        ("[]", "got JSON without cells"),
        (
            json.dumps({"cells": [], "metadata": {"kernelspec": {"language": "julia"}}}),
            "got one in julia",
        ),
    ],
)
def test_what_is_no_notebook(tmp_path, text, says):
    """Other files of that name, old formats, other languages."""
    (tmp_path / "robot.ipynb").write_text(text)
    with pytest.raises(horus.LaunchError, match=says):
        notebook.cells(str(tmp_path / "robot.ipynb"))
    done = run(tmp_path / "robot.ipynb")
    assert done.returncode == 1
    assert says in done.stderr


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if True:\n    %autoreload 2", "if True:\n    pass"),
        ("text = '''\n%config is text\n'''", "text = '''\n%config is text\n'''"),
        ("x = (7\n%config)", "x = (7\n%config)"),
        ("%timeit f()", "%timeit f()"),
    ],
)
def test_lines_for_the_screen_are_left_out(source, left):
    """Magics that change what a screen shows do nothing; Python's own % stays."""
    assert magics.without(source) == left
