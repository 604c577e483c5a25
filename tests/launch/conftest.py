"""What starts sessions in tests. The helpers beside the tests are found by their names."""

import shutil
import sys
from pathlib import Path

import pytest

from horus_core.shm import namespace

sys.path.insert(0, str(Path(__file__).parent))
import launching


@pytest.fixture
def launch(horus_namespace, tmp_path):
    """Start a session: `launch("robot", nodes)` writes robot.yaml and runs it; all are stopped at the end."""
    started = []

    def start(name, text, *arguments, **options):
        launching.write(tmp_path, name, text)
        started.append(launching.Launcher(tmp_path, name, *arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()
    shutil.rmtree(namespace.path(horus_namespace), ignore_errors=True)
