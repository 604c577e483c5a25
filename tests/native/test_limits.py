"""What the machine refuses: room in /dev/shm, another user's regions, descriptors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = """
import horus
from pathlib import Path

try:
    horus.Topic("big", dict, capacity=65536)
except horus.RegionError as error:
    print(error)
print(sorted(path.name for path in Path("/dev/shm").glob("*.topic.*")))
topic = horus.Topic("small", dict, capacity=16)
assert topic.send({"a": 1})
print(topic.recv())
opened = [topic]
try:
    while True:
        opened.append(horus.Topic(f"t{len(opened)}", dict, capacity=16))
except horus.RegionError as error:
    print(len(opened) > 4, "RegionError" in type(error).__name__)
assert all(topic.send({"n": n}) and topic.recv() == {"n": n} for n, topic in enumerate(opened))
"""


def _in_own_mounts(*command: str) -> subprocess.CompletedProcess:
    """Run the command where /dev/shm is a file system of 1 MB."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    script = 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"'
    return subprocess.run(
        [*unshare, "sh", "-c", script, "sh", *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(
    shutil.which("unshare") is None or _in_own_mounts("true").returncode != 0,
    reason="this machine allows no mount namespaces",
)
def test_a_small_shm_is_an_error_at_creation(tmp_path):
    """/dev/shm of 1 MB: what does not fit raises and says why; nothing half-made stays, what fits works.

    No later write meets missing memory (no SIGBUS).
    """
    script = tmp_path / "small.py"
    script.write_text(SMALL)
    done = _in_own_mounts(sys.executable, "-W", "error", str(script))
    assert done.returncode == 0, done.stderr
    error, left, received, full = done.stdout.splitlines()
    assert "free bytes in /dev/shm, got" in error
    assert "--shm-size" in error
    assert left == "[]"
    assert received == "{'a': 1}"
    assert full == "True True"


OTHER_USER = """
import os
import horus
horus.Topic("warm", dict)  # imports everything while the files can be read
os.setgid(65534)
os.setuid(65534)
os.environ["HORUS_NAMESPACE"] = THEIRS
try:
    horus.Topic("t", dict)
except horus.HorusError as error:
    print(type(error).__name__, error)
os.environ["HORUS_NAMESPACE"] = OWN
own = horus.Topic("t", dict)
own.send({"a": 1})
print(own.recv())
"""


# spec: A66
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_users_namespace_is_refused_by_name(program, horus_namespace, monkeypatch):
    """Another user gets an error that names both users and the way out, and works in a namespace of its own."""
    import horus

    with horus.Topic("t", dict):
        own = f"{horus_namespace}n"
        source = f"THEIRS, OWN = {horus_namespace!r}, {own!r}\n{OTHER_USER}"
        out, _ = program(source, HORUS_NAMESPACE=f"{horus_namespace}w").finish()
    refused, received = out.splitlines()
    assert refused.startswith("RegionError")
    assert "'nobody'" in refused
    assert "'root'" in refused
    assert "HORUS_NAMESPACE" in refused
    assert received == "{'a': 1}"
    from horus_core.shm import cleaner

    cleaner.clean([f"{horus_namespace}w"])
    for path in Path("/dev/shm").glob(f"horus_{own}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


THOUSAND = """
import os
import horus
topics = [horus.Topic("first", dict, capacity=4)]
before = len(os.listdir("/proc/self/fd"))
for number in range(1000):
    topic = horus.Topic(f"t{number % 250}", dict, capacity=4)
    topic.send({"n": number})
    topics.append(topic)
print(len(os.listdir("/proc/self/fd")) - before)
"""


def test_a_thousand_topics_leave_no_descriptor_open(program):
    """A topic's descriptor is closed once it is mapped."""
    out, _ = program(THOUSAND).finish()
    assert out.strip() == "0"


def test_a_full_namespace_is_left_alone(program, horus_namespace):
    """Where every place is taken, a newcomer is refused, and who cleans removes nothing of it."""
    import fcntl
    import struct

    import horus
    from horus_core.shm import cleaner, namespace

    program("import horus\nhorus.Topic('t', dict)\n").finish()
    index = namespace.SHM / f"horus_{horus_namespace}.index"
    before = namespace.regions(horus_namespace)
    with index.open("r+b") as file:
        every_row = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0x100000, 512, 0)
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, every_row)
        assert cleaner.clean([horus_namespace]) == []
        with pytest.raises(horus.RegionError, match="is full: 512 processes"):
            horus.Topic("t", dict)
    assert namespace.regions(horus_namespace) == before
    assert f"horus_{horus_namespace}.topic.t" in cleaner.clean([horus_namespace])
