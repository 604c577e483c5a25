"""Which processes share topics: the name of a namespace, its directory, its lock."""

import os
import pty
import subprocess
import sys
import threading

import pytest

from horus_core.errors import HorusTimeoutError, InvalidNameError, RegionError
from horus_core.shm import namespace, process

CURRENT = "from horus_core.shm import namespace; print(namespace.current())"


def current_of(*, env=None, code=CURRENT, **options):
    variables = {
        key: value for key, value in os.environ.items() if key not in ("HORUS_NAMESPACE", "INVOCATION_ID")
    }
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env={**variables, **(env or {})}, check=True, capture_output=True, text=True, **options
    ).stdout.strip()


# spec: A28 F1
def test_the_variable_names_it(ns):
    """HORUS_NAMESPACE is the namespace."""
    assert namespace.current() == ns


@pytest.mark.parametrize("bad", ["", "a b", "a/b", "a.b", "ü", "x" * 49, "a\n"])
# spec: F1
def test_a_bad_name_is_an_error_that_names_the_variable(monkeypatch, bad):
    """What is not 1 to 48 of A-Za-z0-9_- is refused, never replaced by something else."""
    monkeypatch.setenv("HORUS_NAMESPACE", bad)
    with pytest.raises(InvalidNameError, match="HORUS_NAMESPACE"):
        namespace.current()


# spec: A27 A30
def test_one_session_shares():
    """Without the variable, processes of one session have one namespace, derived from session and user."""
    assert current_of() == current_of() == f"sid{os.getsid(0)}_uid{os.getuid()}"


# spec: A27 A33
def test_sessions_do_not_share():
    """Another session (another terminal) is another namespace."""
    assert current_of(start_new_session=True) != current_of(start_new_session=True)


# spec: A34 F1
def test_services_share_by_user_and_not_by_session():
    """Under systemd, where each service is a session, the user decides."""
    env = {"INVOCATION_ID": "0" * 32}
    assert current_of(env=env, start_new_session=True) == f"service_uid{os.getuid()}"


# spec: F1
def test_a_terminal_that_a_service_started_is_a_terminal():
    """INVOCATION_ID reaches the shells of a desktop, too: a controlling terminal decides for the session."""
    code = f"""if True:
        import fcntl, os, sys, termios
        os.setsid()
        fcntl.ioctl(int(sys.stdin.fileno()), termios.TIOCSCTTY, 0)
        {CURRENT}"""
    leader, follower = pty.openpty()
    try:
        assert current_of(env={"INVOCATION_ID": "0" * 32}, code=code, stdin=follower).startswith("sid")
    finally:
        os.close(leader)
        os.close(follower)


# spec: F2
def test_the_directory_is_private(ns):
    """It is created with mode 0700, and made so if it was open to others."""
    where = namespace.directory(ns)
    assert where.stat().st_mode & 0o777 == 0o700
    where.chmod(0o755)
    assert namespace.directory(ns).stat().st_mode & 0o777 == 0o700


# spec: F2
def test_what_is_no_directory_is_refused(ns, tmp_path):
    """A file or a symbolic link in its place is an error, and is not followed."""
    namespace.path(ns).symlink_to(tmp_path)
    try:
        with pytest.raises(RegionError, match="to be a directory"):
            namespace.directory(ns)
    finally:
        namespace.path(ns).unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
# spec: A66
def test_another_users_directory_is_refused_with_its_owner(ns):
    """The error says whose it is and what to do."""
    # We live there, for a `horus` command that somebody else starts just now would clean an empty namespace.
    process.member(ns)
    code = f"""if True:
        import os
        from horus_core.shm import namespace
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
        try:
            namespace.directory({ns!r})
        except Exception as error:
            print(type(error).__name__, error)
        print({ns!r} in namespace.mine())"""
    said = current_of(code=code)
    assert said.startswith("RegionError")
    assert "'root' (uid 0)" in said
    assert "HORUS_NAMESPACE" in said
    assert said.endswith("False"), "mine() lists what belongs to this user only"


def test_mine_finds_directories_and_regions(ns):
    """A namespace counts as present by its directory, or by a region alone."""
    assert ns not in namespace.mine()
    region = namespace.SHM / namespace.topic_region(ns, "a")
    region.touch()
    assert ns in namespace.mine()
    assert namespace.regions(ns) == [region.name]
    region.unlink()
    namespace.directory(ns)
    assert ns in namespace.mine()


# spec: F2 F4
def test_region_names_are_flat_reversible_and_different():
    """Every topic has one region name without a slash, and the way back gives the topic."""
    topics = ["cmd_vel", "arm/cmd_vel", "arm.cmd_vel", "a/b/c.d-e_f", ".", "x" * 128, "/".join("a" * 64)]
    names = [namespace.topic_region("n" * 48, topic) for topic in topics]
    assert len(set(names)) == len(topics)
    assert all("/" not in name and len(name) <= 190 for name in names)
    assert [namespace.topic_of(name) for name in names] == topics


def test_other_names_are_no_topics():
    """Directories, indexes and foreign files are not taken for topics."""
    for name in ("horus_robot", "horus_robot.index", "other_robot.topic.a", "horus_a b.topic.a"):
        assert namespace.topic_of(name) is None


def test_the_lock_excludes_and_names_its_holder(ns):
    """Two holders cannot be; who waits in vain learns the pid of the one that is."""
    with (
        namespace.locked(ns),
        pytest.raises(HorusTimeoutError, match=f"pid={os.getpid()}"),
        namespace.locked(ns, timeout_s=0.05),
    ):
        pass
    with namespace.locked(ns, timeout_s=0.05):
        pass


def test_shared_locks_share(ns):
    """Many may hold it shared; none may then hold it alone."""
    with (
        namespace.locked(ns, exclusive=False),
        namespace.locked(ns, exclusive=False, timeout_s=0.05),
        pytest.raises(HorusTimeoutError),
        namespace.locked(ns, timeout_s=0.05),
    ):
        pass


def test_a_waiter_does_not_take_a_lock_that_was_removed(ns):
    """The cleaner removes the directory while others wait: they lock the new file, not the removed one."""
    got = threading.Event()
    entered = threading.Event()

    def wait():
        entered.set()
        with namespace.locked(ns):
            assert (namespace.path(ns) / "lock").exists()
            got.set()

    waiter = threading.Thread(target=wait)
    with namespace.locked(ns):
        waiter.start()
        entered.wait(10)
        (namespace.path(ns) / "lock").unlink()
        namespace.path(ns).rmdir()
    waiter.join(10)
    assert got.is_set()


def test_a_killed_holder_holds_nothing(ns):
    """The kernel gives the lock back, however the holder ended."""
    code = f"""if True:
        import os, signal
        from horus_core.shm import namespace
        with namespace.locked({ns!r}):
            os.kill(os.getpid(), signal.SIGKILL)"""
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert ended.returncode == -9
    with namespace.locked(ns, timeout_s=0.5):
        pass
