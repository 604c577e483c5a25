"""Looks for leaks of the native module: a program that uses all of it, under LeakSanitizer, and what that reports.

Run by .ci/sanitize, with the sanitizer's runtime loaded. A leak counts when the module allocated it. What Python
allocated counts, too, when it is lost anew in each round and no other package's library was involved: a forgotten
reference loses objects that somebody else made. So no function of Python's is suppressed.
What the garbage collector tracks is in its lists for ever, and so no leak that can be seen here.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from pathlib import Path

ROUNDS = 5
OURS = re.compile(r"/horus_core/(native/|_native)")
EVALUATION = "_PyEval_EvalFrameDefault"
FOREIGN = re.compile(r"/site-packages/(?!horus)[^ ]*\.so|/lib-dynload/|/usr/bin/")


def leaks_of_ours(report: str) -> list[str]:
    """Those that the module allocated, and those that are lost in each round and are nobody else's."""
    leaks = [one for one in report.split("\n\n") if re.match(r"\s*(In)?[Dd]irect leak of", one)]
    ours = [one for one in leaks if OURS.search(_own_frames(one))]
    rest: dict[str, list[str]] = defaultdict(list)
    for one in leaks:
        if one not in ours and not FOREIGN.search(one):
            rest[_own_frames(one)].append(one)
    return ours + [one for alike in rest.values() if sum(map(_objects, alike)) >= ROUNDS for one in alike]


def _own_frames(leak: str) -> str:
    """The functions from malloc up to the first of the interpreter's loop, which has called them."""
    return " ".join(re.findall(r"#\d+ \S+ in (.*)", leak.split(EVALUATION, 1)[0]))


def _objects(leak: str) -> int:
    return int(re.search(r"in (\d+) object", leak)[1])


def look():
    """Run the program and show what leaked; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        options = f"detect_leaks=1:fast_unwind_on_malloc=0:malloc_context_size=40:log_path={folder}/report"
        environ = {**os.environ, "ASAN_OPTIONS": options, "HORUS_NAMESPACE": f"leaks{os.getpid()}"}
        failed = False
        for provoked in (True, False):
            command = [sys.executable, __file__, "leak" if provoked else "use"]
            done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
            reports = [path.read_text() for path in Path(folder).iterdir()]
            for path in Path(folder).iterdir():
                path.unlink()
            found = [leak for report in reports for leak in leaks_of_ours(report)]
            if done.stdout.strip() != "used":
                print(done.stdout, done.stderr, *reports, sep="\n")
                return 1
            if provoked and len(found) < 2:  # see leak()
                print("What was leaked on purpose was not reported.", *reports, sep="\n")
                failed = True
            elif not provoked and found:
                print(*found, sep="\n\n")
                failed = True
            elif not provoked:
                everything = sum(report.count("leak of") for report in reports)
                print(f"No leak of ours; {everything} allocations of other packages.")
    return int(failed)


def use_messages(horus, np):
    """Messages: made, filled, read, compared, refused, sent elsewhere and made from layouts."""
    from horus_core.messages import layout

    class Inner(horus.Message):
        x: horus.f64 = 0.0
        name: str = horus.text(8)

    class Outer(horus.Message):
        inner: Inner = Inner()
        values: object = horus.array(horus.f32, 8, bounded=True)
        parts: object = horus.array(Inner, 2)
        names: object = horus.array(horus.text(4), 3, bounded=True)
        flag: horus.bool_ = False
        big: horus.u64 = horus.field(default=0, unit="m", doc="d", kw_only=True)
        also: horus.f64 = horus.alias("inner.x")

    message = Outer(Inner(1.0, "a"), [1, 2], big=3)
    for value in ([1.0], np.ones(3), np.arange(4), (True,), b"", "no", None, object(), [None], np.ones(99)):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            message.values = value
    for value in (2**64, -1, 1.5, "x", None, np.int8(3)):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            message.big = value
    for arguments in ((1,), (Inner(),) * 9):
        with contextlib.suppress(TypeError):
            Outer(*arguments)
    with contextlib.suppress(TypeError):
        Outer(nothing=1)
    with contextlib.suppress(AttributeError):
        del message.flag
    message.names, message.also = ("a", "b"), 4.0
    twin = Outer.from_wire(message.to_wire())
    assert twin == message == copy.deepcopy(message) == Outer.from_dict(message.to_dict())
    with contextlib.suppress(ValueError):
        Outer.from_wire(b"short")
    repr(message), bytes(memoryview(message)), message.parts, message.inner.x, twin.values.sum()
    pickle.loads(pickle.dumps(horus.Twist()))
    other = layout.class_from_layout(json.loads(json.dumps(layout.of(Outer))))
    repr(other()), [repr(one) for one in other.__descriptors__], other.__type_hash__, other.__wire_max__
    return Outer, message


def use_topic(horus, topic, message):
    """All that a handle can do."""
    with topic:
        for _ in range(6):
            assert topic.send(message)
        topic.has_msg(), topic.latest(), topic.history(3), topic.wait(0)
        topic.recv(), topic.recv_info(), topic.recv_all()
        topic.send(message)
        asyncio.run(topic.recv_async())
        (
            topic.stats(),
            topic.publishers,
            topic.subscribers,
            topic.age(),
            topic.is_stale(1),
            topic.missed,
            repr(topic),
        )
        topic.pending, topic.skipped, topic.capacity, topic.type, topic.backend
        waiting = threading.Thread(target=topic.wait, args=(5,))
        waiting.start()
        topic.send(message)
        waiting.join()
        for wrong in (object(), {"a": object()}, {"a": 2**70}, horus.Pose2D()):
            with contextlib.suppress(horus.HorusError):
                topic.send(wrong)


def use_pooled(horus, np):
    """Images and their kin: every view, and what is refused."""
    image = horus.Image.from_numpy(np.ones((16, 16, 3), np.uint8))
    image.frame_id, image.timestamp_ns = "camera", 5
    cloud = horus.PointCloud.from_numpy(np.ones((9, 3), np.float32))
    depth = horus.DepthImage.from_numpy(np.ones((4, 4), np.uint16))
    tensor = horus.Tensor.from_numpy(np.arange(24.0).reshape(2, 3, 4))
    for one in (image, cloud, depth, tensor):
        array = one.to_numpy()
        (
            memoryview(one).tobytes(),
            one.tobytes(),
            one.copy(),
            np.from_dlpack(one),
            one.__dlpack__(_unflagged=True),
        )
        (
            repr(one),
            one.shape,
            one.strides,
            one.dtype,
            one.nbytes,
            one.to_dict(),
            pickle.loads(pickle.dumps(one)),
        )
        del array
    image.roi(1, 1, 4, 4).tobytes(), image.pixel(1, 1)
    for wrong in ({"dl_device": (2, 0)}, {"bad": 1}, {"max_version": ()}):
        with contextlib.suppress(BufferError, TypeError):
            image.__dlpack__(**wrong)
    with contextlib.suppress(ValueError, BufferError):
        image._fill(b"")
    for name, value in (("frame_id", "x" * 99), ("timestamp_ns", -1)):
        with contextlib.suppress(ValueError, OverflowError):
            setattr(image, name, value)
    return image, cloud, depth, tensor


def use_nodes(horus):
    """Nodes with topics, ticks, failures and a scheduler that ends by itself."""

    def tick(node):
        node.send("out", {"n": 1})
        node.recv("out")
        node.has_msg("out")
        if node.info.ticks == 3:
            raise ValueError("once")

    node = horus.Node("leaker", tick=tick, pubs=["out"], subs=["out"], rate=200, on_error=lambda *_: None)
    horus.run(node, duration=0.1)


def use():
    """Everything, a few times, so that what is lost each time stands out."""
    import logging

    import numpy as np

    import horus
    from horus_core import _native
    from horus_core.shm import cleaner, pool, process

    logging.disable()
    for number in range(ROUNDS):
        made, message = use_messages(horus, np)
        use_topic(horus, horus.Topic(f"typed{number}", made), message)
        values = {"a": [1, "b", None], "array": np.ones(5000), "large": "x" * 99_999}
        use_topic(horus, horus.Topic("dict", dict), values)
        for one in use_pooled(horus, np):
            use_topic(horus, horus.Topic(type(one).__name__, type(one)), one)
        with contextlib.suppress(horus.TopicTypeError), horus.Topic("dict", dict):
            horus.Topic("dict", horus.Twist)
        use_nodes(horus)
        member = process.member()
        member.living(), member.pid(member.ident), member.alive(0), member.epoch, member.wait(0, 0)
        pool.pool().usage(), pool.pool().refusal(), _native.now_ns()
        for wrong, arguments in (
            (_native.Ring, (-1, member)),
            (_native.Member, (-1, "x")),
            (_native.Ring, (0,)),
        ):
            with contextlib.suppress(horus.HorusError, TypeError):
                wrong(*arguments)
        gc.collect()
    del made, message, one, member, arguments
    gc.collect()
    cleaner.clean([os.environ["HORUS_NAMESPACE"]])


def leak():
    """Lose a message, and as many objects of Python's as there are rounds, on purpose."""
    import ctypes

    import horus

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(horus.Twist()))
    for number in range(ROUNDS):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(b"lost" * (number + 2)))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(look())
    {"use": use, "leak": leak}[sys.argv[1]]()
    print("used")
