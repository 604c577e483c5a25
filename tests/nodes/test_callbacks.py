"""How callbacks are called: by signature, once decided."""

from __future__ import annotations

import functools
import sys

import pytest

from horus_core.errors import ConfigError
from horus_core.nodes import callbacks
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run


# spec: F10
def test_node_or_nothing():
    """A callback may take the node or nothing; each gets what it takes."""
    seen = []
    node = Node(
        "n",
        init=lambda: seen.append("init"),
        tick=lambda node: seen.append(("tick", node)),
        shutdown=lambda n: seen.append(("shutdown", n)),
    )
    run(node, duration=0)
    assert seen == ["init", ("tick", node), ("shutdown", node)]


# spec: F10
def test_a_type_error_in_user_code_is_the_users():
    """A TypeError inside a callback is raised as it is, and the callback ran once."""
    calls = []

    def tick(node):
        calls.append(node)
        len(3)

    with pytest.raises(TypeError, match="has no len"):
        run(Node("n", tick=tick))
    assert len(calls) == 1


# spec: E8
def test_bound_methods():
    """Methods of a user's object work as callbacks, with and without the node."""

    class Motor:
        def __init__(self):
            self.seen = []

        def tick(self, node):
            self.seen.append(node.name)
            raise ValueError("stuck")

        def on_error(self, node, error):
            self.seen.append((node.name, str(error)))

        def stop(self):
            self.seen.append("stop")

    motor = Motor()
    run(Node("n", tick=motor.tick, on_error=motor.on_error, shutdown=motor.stop), duration=0)
    assert motor.seen == ["n", ("n", "stuck"), "stop"]


# spec: F10
def test_subclass_overrides():
    """A subclass overrides the callbacks; self is the node."""
    seen = []

    class Driver(Node):
        def __init__(self, port):
            super().__init__("driver", rate=50)
            self.port = port

        def init(self):
            seen.append(("init", self.port, self.info.name))

        def tick(self):
            seen.append("tick")
            raise ValueError("no answer")

        def on_error(self, error):
            seen.append(str(error))

        def shutdown(self):
            seen.append("shutdown")

    run(Driver("/dev/ttyS0"), duration=0)
    assert seen == [("init", "/dev/ttyS0", "driver"), "tick", "no answer", "shutdown"]


def test_subclass_that_does_not_override_on_error_has_none():
    """The methods that a subclass leaves alone are no callbacks: an exception still ends the run."""

    class Driver(Node):
        def tick(self):
            raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        run(Driver("driver"))


def test_subclasses_may_use_any_name():
    """A subclass may use the names that a framework could have taken for itself."""

    class Driver(Node):
        def __init__(self):
            super().__init__("driver", subs="a")
            self._ticks = self._rate = self._topics = self._info = self._scheduler = 7
            self._failed = self._name = self._order = self._log = self._state = self._run = self._tick = 7

        def _open(self):
            raise AssertionError

        _close = _init = _start = _stop = _loop = _open

        def tick(self):
            self._ticks += 1
            self.send("a", {"n": self._ticks})

    driver = Driver()
    run(driver, duration=0)
    assert driver._ticks == 8


def test_method_and_keyword_are_refused():
    """Giving a callback twice is an error, not a riddle."""

    class Driver(Node):
        def tick(self):
            pass

    with pytest.raises(ConfigError, match=r"tick= or the method Driver\.tick"):
        Driver("driver", tick=lambda: None)


def test_no_tick_is_refused():
    """A node without a tick is an error at construction."""
    with pytest.raises(ConfigError, match="without a tick"):
        Node("n")


@pytest.mark.parametrize(
    ("callback", "gets_node"),
    [
        (lambda *args: args, True),
        (lambda *args, **kwargs: (args, kwargs), True),
        (lambda node=None: node, True),
        (lambda n: n, True),
        (lambda n, i=3: (n, i), True),
        (lambda i=3: i, False),
        (lambda *, i=3: i, False),
        (lambda: None, False),
        (functools.partial(lambda a, b: (a, b), 1), True),
        (functools.partial(lambda a: a, 1), False),
    ],
)
def test_signatures(callback, gets_node):
    """Defaults are left alone (they capture loop variables), but for a parameter called `node`."""
    seen = []

    @functools.wraps(callback)
    def note(*args, **kwargs):
        assert not kwargs
        seen.append(args)

    node = Node("n", tick=note)
    run(node, duration=0)
    assert seen == [(node,) if gets_node else ()]


@pytest.mark.parametrize("bad", [lambda a, b: (a, b), lambda a, *, b: (a, b)])
def test_signatures_that_ask_for_more_are_refused(bad):
    """A callback that wants more than a node is refused at construction."""
    with pytest.raises(ConfigError, match=r"expected a function of \(node\) or nothing"):
        Node("n", tick=bad)


def test_on_error_signatures():
    """on_error takes (node, exception), (exception) or nothing."""
    seen = []

    def fail():
        raise ValueError("x")

    handlers = [
        lambda node, error: seen.append((node.name, str(error))),
        lambda error: seen.append(str(error)),
        lambda: seen.append("nothing"),
    ]
    run(*(Node(f"n{i}", tick=fail, on_error=h) for i, h in enumerate(handlers)), duration=0)
    assert seen == [("n0", "x"), "x", "nothing"]
    with pytest.raises(ConfigError):
        Node("n", tick=fail, on_error=lambda a, b, c: (a, b, c))


def test_an_asynchronous_generator_is_refused():
    """A tick that yields would never run: it is refused at construction, never called and dropped."""

    async def tick():
        yield 1

    with pytest.raises(ConfigError, match="generator"):
        Node("n", tick=tick)


# spec: E5, F11
def test_info_is_none_outside_callbacks():
    """node.info exists in every callback and nowhere else."""
    seen = []

    def fail(node):
        seen.append(node.info is not None)
        raise ValueError

    def note(node):
        seen.append(node.info is not None)

    node = Node("n", init=note, tick=fail, on_error=lambda node, _error: note(node), shutdown=note)
    assert node.info is None
    run(node, duration=0)
    assert node.info is None
    assert seen == [True] * 4


# spec: E13, E14
def test_metrics():
    """get_metrics() and the quick accessors agree, and count what happened."""
    seen = []

    def tick(node):
        info = node.info
        seen.append((info.get_metrics(), info.get_uptime(), info.tick_count(), info.error_count()))
        if len(seen) == 20:
            node.request_stop()
        if len(seen) % 2 == 0:
            raise ValueError

    node = Node("n", tick=tick, on_error=lambda: None, rate=1000)
    run(node)
    first, last = seen[0], seen[-1]
    assert first[0]["total_ticks"] == first[0]["avg_tick_duration_ms"] == 0
    assert last[1] > first[1] > 0
    metrics = node._horus.info.get_metrics()
    assert metrics["total_ticks"] == len(seen)
    assert metrics["failed_ticks"] == metrics["errors_count"] == len(seen) // 2
    assert metrics["successful_ticks"] == len(seen) - len(seen) // 2
    assert (
        0
        < metrics["min_tick_duration_ms"]
        <= metrics["avg_tick_duration_ms"]
        <= metrics["max_tick_duration_ms"]
    )
    assert (
        metrics["min_tick_duration_ms"] <= metrics["last_tick_duration_ms"] <= metrics["max_tick_duration_ms"]
    )
    info = node._horus.info
    assert info.tick_count() == metrics["total_ticks"]
    assert info.successful_ticks() == metrics["successful_ticks"]
    assert info.failed_ticks() == info.error_count() == metrics["failed_ticks"]
    assert info.avg_tick_duration_ms() == metrics["avg_tick_duration_ms"]


def test_nodes_do_not_leak():
    """A node that has run is freed with its last reference, and so is what its callbacks hold."""
    import gc
    import weakref

    class Big:
        pass

    def make():
        big = Big()
        node = Node("n", tick=lambda node: big)
        run(node, duration=0)
        return weakref.ref(big), weakref.ref(node)

    refs = make()
    gc.collect()
    assert [ref() for ref in refs] == [None, None]
    assert sys.getrefcount(None) > 0


class _Methods:
    def none(self): ...
    def one(self, node): ...
    def spare(self, other=1): ...
    def named(self, node=None): ...
    def three(self, one, two, three): ...
    def any(self, *all_of_them): ...
    def bare(): ...

    @classmethod
    def of_class(cls, node): ...

    async def later(self, node): ...


def test_plain_functions_are_read_as_inspect_reads_them(monkeypatch):
    """Most callbacks are read without importing `inspect`: with the same outcome."""
    methods = _Methods()
    several = [getattr(methods, name) for name in vars(_Methods) if not name.startswith("_")]
    several += [
        lambda: 0,
        lambda node: 0,
        lambda node=None: 0,
        lambda other=1: 0,
        lambda node, error: 0,
        lambda node, other=1: 0,
        lambda a, b, c: 0,
        lambda *, key: 0,
        lambda *, key=1: 0,
        lambda node, /: 0,
        lambda *all_of_them, **named: 0,
        lambda node, **named: 0,
        (one for one in ()).send,
        functools.partial(methods.one),
        functools.wraps(methods.one)(lambda *_: 0),
        len,
    ]

    async def later():
        pass

    def generates(node):
        yield

    def told(callback, most):
        try:
            return callbacks._wanted("tick", callback, most=most, expected="")
        except ConfigError as error:
            return str(error)

    def outcome():
        every = [*several, later, generates]
        return [(callbacks.is_async(one), told(one, 1), told(one, 2)) for one in every]

    quick = outcome()
    monkeypatch.setattr(callbacks, "_plain", lambda _: None)
    assert quick == outcome()
