"""Distributions with packaged nodes, and the commands that see them."""

from __future__ import annotations

import pytest

from ..plugins.conftest import Site  # noqa: TID252 - folders of tests have no other names

DRIVE = """
import sys
import horus

def drive(*, max_speed: float = horus.param(default=1.0, unit="m/s", doc="How fast."), steps: int = 3):
    "Drives on."
    def tick(node):
        node.send("cmd_vel", horus.CmdVel(linear=max_speed))
        if horus.tick() == 1:
            print(node.name, node.rate, max_speed, steps, node.publishers(), node.subscribers(), sys.argv, flush=True)
            node.request_stop()
    return horus.Node("driver", tick=tick, pubs=[horus.CmdVel, "front/log"], subs={"scan": horus.LaserScan}, rate=20)

def pair(*, max_speed: float = 2.0):
    def tick(node):
        print(node.name, node.rate, max_speed, sys.argv[0], flush=True)
        node.request_stop()
    return [horus.Node(name, tick=tick) for name in ("left", "right")]
"""


class Packages(Site):
    """A site whose distributions have packaged nodes."""

    def package(self, distribution, source, *names, **options):
        """`names`: of the nodes, each that of its function."""
        module = options.setdefault("module", distribution.replace("-", "_"))
        lines = "\n".join(f"{name} = {module}:{name}" for name in names)
        return self.install(distribution, {"horus.nodes": lines}, source, **options)


@pytest.fixture
def site(tmp_path, horus_namespace):
    """A place to install packages into."""
    return Packages(tmp_path)


@pytest.fixture
def drive(site):
    """A site with one package of two functions: `drive` makes a node, `pair` two."""
    site.package("horus-drive", DRIVE, "drive", "pair")
    return site
