"""Namespaces that tests have to themselves."""

from __future__ import annotations

import itertools
import os
import shutil

from horus_core.backends import registry as backends
from horus_core.params import reach
from horus_core.shm import namespace as namespaces
from horus_core.shm import process

_numbers = itertools.count()


def new_namespace() -> str:
    """A namespace's name that no other test has, in this run or in one beside it."""
    return f"test{os.getpid()}-{next(_numbers)}"


def remove_namespace(name: str) -> None:
    """Leave the namespace and remove all of it, whoever still uses it."""
    reach.close()
    backends.leave(name)
    process.leave(name)
    shutil.rmtree(namespaces.path(name), ignore_errors=True)
    for region in namespaces.SHM.glob(f"{namespaces.path(name).name}.*"):
        region.unlink(missing_ok=True)  # another command may clean at this moment
