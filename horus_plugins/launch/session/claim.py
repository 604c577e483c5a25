"""Taking the name of a session: one living launcher has it in a namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core import names
from horus_core.control.commands import REPLY
from horus_core.errors import LaunchError
from horus_core.shm import namespace as namespaces
from horus_plugins.launch import manifest

if TYPE_CHECKING:
    from horus_core._native import Member
    from horus_plugins.launch.manifest import Manifest


_MOST = names.MAX_NAME - len(manifest.CONTROL_PREFIX) - len(REPLY)


def claim(own: Manifest, member: Member) -> str:
    """Write our manifest under the name, and return the run id of a dead launcher's session that had it, or "".

    Raises LaunchError naming the launcher that has it and lives, or for a name that none can have.
    """
    if own.session.startswith(".") or len(own.session) > _MOST:
        raise LaunchError(
            f"Starting session {own.session!r} failed: expected a name of at most {_MOST} characters that does not "
            f"start with a dot, got this one. Choose another with `session:` or --session."
        )
    with namespaces.locked(own.namespace):
        before = manifest.read(own.namespace, own.session)
        if before is not None and manifest.is_alive(before, member):
            raise LaunchError(
                f"Starting session {own.session!r} failed: expected a free name, got one that is in use "
                f"(namespace={own.namespace!r}, pid={before.pid}, file={before.file}). "
                f"`horus launch --stop {own.session}` stops that session; or give this one another name."
            )
        manifest.write(own)
    return "" if before is None else before.run_id
