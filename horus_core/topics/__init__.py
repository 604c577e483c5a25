"""Topics: named channels over shared memory."""

from horus_core.topics.topic import Info, Topic

__all__ = ["Info", "Topic"]
