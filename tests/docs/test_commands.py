"""The commands in the pages work, and print what the pages show."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import doc_commands
import doc_pages
import pytest

BIN = Path(sys.executable).parent
TIMEOUT_S = 30
PRINTED: dict[str, str] = {}
"""What commands printed that have been run: several pages have the same."""


def _commands():
    """(page, line, command, shown output or None) of all sh and console blocks."""
    for page in doc_pages.PAGES:
        for block in doc_pages.blocks(page, "sh", "console", ""):
            for number, command, shown in _in_block(block):
                yield pytest.param(command, shown, id=f"{doc_pages.name(page)}:{number}")
        for command in doc_pages.indented(page):
            if command.startswith(("make", "horus ", "pip ", ".ci/", ".venv/", "HORUS_")):
                yield pytest.param(_bare(command), None, id=f"{doc_pages.name(page)}:{_bare(command)}")


def _in_block(block):
    lines = block.text.splitlines()
    for number, line in enumerate(lines):
        if block.language != "console":
            if _bare(line) and (block.language or line.startswith("horus ")):
                yield block.line + number, _bare(line), None
        elif line.startswith("$ "):
            shown = []
            for later in lines[number + 1 :]:
                if later.startswith("$ "):
                    break
                shown.append(later)
            yield block.line + number, _bare(line[2:]), "\n".join(shown).strip()


def _bare(line):
    return re.sub(r"\s+#.*|^#.*", "", line).strip()


def _environment(namespace):
    return {
        **os.environ,
        "HORUS_NAMESPACE": namespace,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "COLUMNS": "80",
    }


@pytest.mark.parametrize(("command", "shown"), list(_commands()))
def test_command(command, shown, horus_namespace, tmp_path):
    """Each command in the pages is run here, or a test that runs it is named in doc_commands.py."""
    command = command.replace(".venv/bin/horus", "horus")
    if doc_commands.HELP.fullmatch(command) or doc_commands.SHORT.fullmatch(command):
        _check_short(command, shown, horus_namespace)
    elif doc_commands.MAKE.fullmatch(command):
        _check_make(command)
    elif doc_commands.PAIR.fullmatch(command):
        _check_pair(command, horus_namespace, tmp_path)
    elif not _is_example(command):
        file = doc_commands.covered_elsewhere(command)
        assert file is not None, f"nothing in doc_commands.py says how {command!r} is kept true"
        assert file.exists(), f"{file} is to run {command!r}, and is not there"


def _check_short(command, shown, namespace):
    if command not in PRINTED:
        PRINTED[command] = _run_short(command, namespace)
    if shown and doc_commands.HELP.fullmatch(command):
        assert shown == PRINTED[command].strip()


def _run_short(command, namespace):
    done = subprocess.run(
        ["sh", "-c", command],
        env=_environment(namespace),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _check_make(command):
    done = subprocess.run(
        ["make", "-n", *command.split()[1:]],
        cwd=doc_pages.ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _is_example(command):
    """Whether it starts scripts that are there, which tests/examples runs."""
    found = doc_commands.SCRIPTS.fullmatch(command)
    if found is None:
        return False
    examples = doc_pages.ROOT / "examples"
    places = [examples, *(path for path in examples.iterdir() if path.is_dir())]
    wanted = [Path(script.removeprefix("examples/")) for script in found["scripts"].split()]
    return any(all((place / script).is_file() for script in wanted) for place in places)


def _check_pair(command, namespace, folder):
    """Run talker and listener as written until they hear each other; Ctrl+C ends them with exit code 0."""
    examples = folder / "examples"
    examples.mkdir()
    for script in ("talker.py", "listener.py"):
        for place in (folder, examples):
            shutil.copy(doc_pages.ROOT / "examples" / script, place)
    out = folder / "out"
    with out.open("wb") as stdout:
        process = subprocess.Popen(
            ["sh", "-c", f"exec env {command}"],
            cwd=folder,
            env=_environment(namespace),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while "load" not in out.read_text():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline, "the listener heard nothing"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        errors = process.communicate(timeout=TIMEOUT_S)[1]
        assert process.returncode == 0, errors
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
