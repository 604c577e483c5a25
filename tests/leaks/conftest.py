"""The helpers beside the leak test are found by their names; all of it shares one namespace."""

import gc
import importlib.util
import logging
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def stage():
    """The objects that the calls are made on; what exists before them is none of the collector's business."""
    spec = importlib.util.find_spec("leak_stage")
    module = importlib.util.module_from_spec(spec)
    sys.modules["leak_stage"] = module  # its classes are pickled
    name = f"leaks{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HORUS_NAMESPACE", name)
        spec.loader.exec_module(module)
        made = module.Stage()
        logging.disable()  # pytest keeps the records, and with them the errors
        gc.collect()
        gc.freeze()
        yield made
        gc.unfreeze()
        logging.disable(logging.NOTSET)
        made.close()
        gc.collect()
        gc.freeze()  # as tests/conftest.py had it
    shutil.rmtree(f"/dev/shm/horus_{name}", ignore_errors=True)
    for path in Path("/dev/shm").glob(f"horus_{name}.*"):
        path.unlink(missing_ok=True)
