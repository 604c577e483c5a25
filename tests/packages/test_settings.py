"""What a command line says of a packaged node, checked before any process is started."""

from __future__ import annotations

import pytest

import horus
from horus_plugins.packages.settings import Settings, settings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"params": ["steps"]}, "Bad --param: expected name=value, got 'steps'"),
        ({"params": ["=1"]}, "Bad --param: expected name=value, got '=1'"),
        ({"params": ["steps=1", "steps=2"]}, "expected each once, got 'steps' twice"),
        ({"topics": ["a"]}, "Bad --topic: expected old=new, got 'a'"),
        ({"topics": ["a="]}, "Bad --topic: expected old=new"),
        ({"topics": ["a=b", "a=c"]}, "expected each once, got 'a' twice"),
        ({"topics": ["a=b c"]}, "Bad topic name"),
        ({"topics": ["_horus.estop=x"]}, "which are HORUS's own"),
        ({"topics": ["x=horus.ctl.y"]}, "which are HORUS's own"),
        ({"rate": 0.0}, "Bad rate: expected Hz above 0"),
        ({"rate": -1.0}, "Bad rate: expected Hz above 0"),
        ({"rate": float("nan")}, "Bad rate: expected Hz"),
        ({"rate": float("inf")}, "Bad rate: expected Hz"),
        ({"name": "../x"}, "Bad node name"),
        ({"name": ""}, "Bad node name"),
    ],
)
def test_bad_settings_are_refused(given, says):
    """Each error says what was expected and what was got."""
    with pytest.raises(horus.HorusError, match="(?s)Bad") as raised:
        settings(**given)
    assert says in str(raised.value)


def test_settings_and_their_words_mean_the_same():
    """Values may hold what separates words: they pass to the process that runs the node as they are."""
    given = settings(["a=b=c", "d=", "e=--", "f= x\n"], 12.5, ["/a=b", "c=d/e"], "left")
    assert given == Settings(
        {"a": "b=c", "d": "", "e": "--", "f": " x\n"}, 12.5, {"/a": "b", "c": "d/e"}, "left"
    )
    from horus_plugins.packages.process import _parse

    assert _parse(["x:y", *given.words()]) == (["x:y"], given)


def test_a_prefix_is_put_before_topics_once(monkeypatch):
    """HORUS_NODE_NAMESPACE counts in the process that runs the node, not in the command that starts that."""
    monkeypatch.setenv("HORUS_NODE_NAMESPACE", "r1")
    assert settings(topics=["scan=front", "/map=all"]).words() == ["--topic=scan=front", "--topic=/map=all"]
