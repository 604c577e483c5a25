"""Images that cross from one namespace to another inside a process: each topic has the pool of its own."""

from __future__ import annotations

import numpy as np
import pytest

from horus_core.messages.image import Image
from horus_core.topics import Topic


@pytest.fixture
def second(other_namespace):
    """Another namespace, of which nothing is left."""
    return other_namespace


# spec: A22
def test_an_image_of_another_namespace_is_copied_for_the_topic(monkeypatch, peer, namespace, second):
    """The readers of a topic find the pixels wherever the image was made, and whatever namespace is current."""
    reader = peer("t = Topic('img')\nsay('ready')\nhear()\nm = next_of(t)\nsay(int(m.to_numpy().sum()))")
    assert reader.hear() == "ready"
    topic = Topic("img", Image)
    monkeypatch.setenv("HORUS_NAMESPACE", second)
    image = Image(4, 4, "mono8")
    image.to_numpy()[:] = 2
    assert image.in_pool
    assert topic.send(image)
    monkeypatch.setenv("HORUS_NAMESPACE", namespace)
    reader.say("go")
    assert reader.hear() == "32"


def test_blocks_outlive_a_topic_of_another_namespace(monkeypatch, namespace, second):
    """A pool remembers only topics of its own namespace: they tell it when they go."""
    monkeypatch.setenv("HORUS_NAMESPACE", second)
    images = [Image.from_numpy(np.full((8, 8), n, np.uint8), "mono8") for n in range(4)]
    monkeypatch.setenv("HORUS_NAMESPACE", namespace)
    for _ in range(3):
        with Topic("img", Image) as topic:
            assert all(topic.send(image) for image in images)
            assert [int(image.to_numpy()[0, 0]) for image in topic.recv_all()] == [0, 1, 2, 3]
