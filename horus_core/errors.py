"""The errors of HORUS.

    HorusError
    ├── TopicTypeError        (also TypeError)     a topic carries another type than asked for
    ├── EncodeError           (also TypeError)     a value cannot travel as MessagePack
    ├── InvalidNameError      (also ValueError)    a topic, node or namespace name breaks the rules
    ├── ConfigError           (also ValueError)    a bad keyword, value or configuration file
    ├── ParamError            (also ValueError)    a bad parameter
    ├── LaunchError           (also ValueError)    a launch cannot start
    ├── RegionError                                a shared-memory region cannot be created, opened or trusted
    │   ├── SegmentLostError                       a region vanished under a running process
    │   └── PoolExhaustedError                     no block of shared memory is free
    ├── PluginError                                a plugin cannot be loaded or used
    ├── NodeError                                  a node was used in a way its state forbids
    └── HorusTimeoutError     (also TimeoutError)  something did not happen in time

Every message reads `what failed: expected X, got Y (where). What to do.`
"""

from __future__ import annotations


class HorusError(Exception):
    """Base of all errors that HORUS raises on purpose."""


class TopicTypeError(HorusError, TypeError):
    """A topic carries another message type than this process wants to send or receive."""


class EncodeError(HorusError, TypeError):
    """A value cannot be encoded as MessagePack; the message names its path, like `$.pose.cov`."""


class InvalidNameError(HorusError, ValueError):
    """A topic, node or namespace name breaks the rules of names."""


class ConfigError(HorusError, ValueError):
    """An unknown keyword, a bad value or a bad configuration file."""


class ParamError(HorusError, ValueError):
    """A parameter is unknown, of another type, or was refused."""


class LaunchError(HorusError, ValueError):
    """A launch cannot start as described."""


class RegionError(HorusError):
    """A shared-memory region cannot be created or opened, or its contents cannot be trusted."""


class SegmentLostError(RegionError):
    """A shared-memory region vanished under a running process."""


class PoolExhaustedError(RegionError):
    """No block of shared memory is free for a payload; the message names who holds them."""


class PluginError(HorusError):
    """A plugin cannot be loaded or does not keep its contract."""


class NodeError(HorusError):
    """A node was used in a way that its state forbids."""


class HorusTimeoutError(HorusError, TimeoutError):
    """Something did not happen in the time that was given."""
