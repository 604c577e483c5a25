"""Names: the rule and the way to a file and back hold for every text, and only InvalidNameError is raised."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from fuzzing import fuzz
from hypothesis import example
from hypothesis import strategies as st

import horus
from horus_core import names
from horus_core.shm import namespace as namespaces

LETTERS = string.ascii_letters + string.digits + "_.-"
NEAR = st.text(alphabet=LETTERS + "/+ \0\n\u00e9\ud800", max_size=140)  # what nearly is a name
TEXTS = NEAR | st.text() | st.text(alphabet=LETTERS, min_size=120, max_size=135)
OTHERS = st.none() | st.integers() | st.binary() | st.lists(st.text())
TOPICS = st.from_regex(r"[A-Za-z0-9_.-]{1,9}(/[A-Za-z0-9_.-]{1,9}){0,3}", fullmatch=True)


def is_topic(text):
    """The rule of topic names, said another way than in the product."""
    parts = text.removeprefix("/").split("/")
    letters = all(set(part) <= set(LETTERS) and part not in ("", "..") for part in parts)
    return letters and len(text.removeprefix("/")) <= 128


@fuzz(text=TEXTS | TOPICS, examples=300)
@example(text="")
@example(text="/")
@example(text="//a")
@example(text="a\n")
@example(text="\u0660")  # a digit, but none of ours
def test_a_topic_name_is_kept_or_refused(text):
    """A text by the rule is the name without its first slash; any other is an InvalidNameError."""
    if is_topic(text):
        assert names.topic_name(text) == text.removeprefix("/")
    else:
        with pytest.raises(horus.InvalidNameError):
            names.topic_name(text)


@fuzz(
    topic=TOPICS.filter(is_topic),
    namespace=st.text(alphabet=LETTERS.replace(".", ""), min_size=1, max_size=48),
)
@example(topic=".topic.", namespace="topic")
@example(topic="a.topic.b", namespace="_")
def test_a_topic_is_found_from_its_file(topic, namespace):
    """The name of a topic's file is one that the file system takes, and leads back to the topic."""
    file = namespaces.topic_region(namespace, names.topic_name(topic))
    assert re.fullmatch(r"[\x21-\x2e\x30-\x7e]{1,255}", file)
    assert namespaces.topic_of(file) == topic
    assert file.startswith(namespaces.region(namespace, ""))


@fuzz(one=TOPICS.filter(is_topic), other=TOPICS.filter(is_topic))
def test_two_topics_have_two_files(one, other):
    """Different names never meet in one file."""
    assert (one == other) == (namespaces.topic_region("n", one) == namespaces.topic_region("n", other))


@fuzz(text=TEXTS)
@example(text="a\nb")
@example(text="+a")
def test_a_file_name_of_anybody_is_read(text):
    """Whatever lies in /dev/shm: a topic's name by the rules, or none."""
    for file in (text, f"horus_n.topic.{text}", f"horus_{text}.topic.a"):
        topic = namespaces.topic_of(file)
        assert topic is None or (is_topic(topic) and not topic.startswith("/"))


@fuzz(text=TEXTS)
@example(text=".")
@example(text="..")
def test_a_node_name_is_kept_or_refused(text):
    """As with topics, without slashes; and a file's name becomes one."""
    if 1 <= len(text) <= 128 and set(text) <= set(LETTERS) and text not in (".", ".."):
        assert names.node_name(text) == text == names.as_node_name(text)
    else:
        with pytest.raises(horus.InvalidNameError):
            names.node_name(text)
    near = names.as_node_name(text)
    assert near == "" or names.node_name(near) == near


@fuzz(value=TEXTS | OTHERS)
def test_a_name_of_any_type_is_refused_by_one_error(value):
    """Node(name), HORUS_NAMESPACE's rule: InvalidNameError whatever is given."""
    for rule in (names.node_name, names.namespace_name, names.topic_name):
        try:
            assert rule(value) == value.removeprefix("/")
        except horus.InvalidNameError as error:
            str(error).encode()  # it can be printed


@fuzz(text=TEXTS | TOPICS, examples=60)
def test_a_topic_opens_by_its_name_or_not_at_all(text):
    """A topic of a good name is made under it; a bad one is refused before anything is made."""
    if not is_topic(text):
        with pytest.raises(horus.InvalidNameError):
            horus.Topic(text, dict)
        return
    with horus.Topic(text, dict, capacity=4) as topic:
        topic.send({"a": 1})
        assert topic.recv() == {"a": 1}
        file = Path("/dev/shm", namespaces.topic_region(namespaces.current(), topic.name))
        assert file.exists()
    file.unlink()


@fuzz(text=TEXTS, examples=60)
def test_a_node_is_named_or_refused(text):
    """Node takes the names that the rule takes; another name is an InvalidNameError."""
    try:
        names.node_name(text)
    except horus.InvalidNameError:
        with pytest.raises(horus.InvalidNameError):
            horus.Node(text, tick=lambda _: None)
    else:
        assert horus.Node(text, tick=lambda _: None).name == text
