"""An iceoryx2 node whose files carry the run's own prefix: nothing is left, nobody else is touched."""

from __future__ import annotations

import os
from typing import Any

import iceoryx2 as iox

iox.set_log_level(iox.LogLevel.Error)


def make() -> Any:
    prefix = os.environ["BENCH_PREFIX"]
    config = iox.config.default()
    config.global_cfg.prefix = iox.FileName.new(prefix)
    config.global_cfg.root_path = iox.Path.new(f"/tmp/{prefix}iceoryx2")
    return iox.NodeBuilder.new().config(config).create(iox.ServiceType.Ipc)
