"""A handle that another thread closes in the middle of a call: an error that says so, never a crash."""

from __future__ import annotations

import pytest

import horus


class ClosedAt(horus.Topic):
    """Runs `close()` where another thread could: between two steps of opening."""

    step = ""

    def _check_type(self, message):
        if self.step == "publish":
            self.close()
        else:
            super()._check_type(message)

    def _enter_namespace(self):
        super()._enter_namespace()
        if self.step == "bind":
            self.close()

    def _open_for_send(self, message):
        result = super()._open_for_send(message)
        if self.step == "send":
            self.close()
        return result


@pytest.mark.parametrize("step", ["publish", "send"])
def test_a_send_whose_handle_is_closed_meanwhile_raises(step):
    """However far the first send has come, it raises HorusError, and the topic gets no publisher."""
    topic = ClosedAt("t", horus.CmdVel)
    topic.step = step
    with pytest.raises(horus.HorusError, match="closed"):
        topic.send(horus.CmdVel())
    other = horus.Topic("t")
    assert other.publishers == []
    assert other.latest() is None


def test_a_closed_handle_is_not_bound_again(monkeypatch):
    """Opening that was under way when the handle was closed does not bring it back to life."""
    monkeypatch.setattr(ClosedAt, "step", "bind")
    with pytest.raises(horus.HorusError, match="closed"):
        ClosedAt("t", horus.CmdVel)


class Forgetful(horus.Topic):
    def __init__(self):
        """Forgets to call the base class."""


@pytest.mark.parametrize("call", ["recv", "has_msg"])
def test_a_subclass_without_the_base_init_raises(call):
    """A handle that was never opened says why, and does not crash the interpreter."""
    with pytest.raises(RuntimeError, match="Forgetful is empty: its __init__ was not called"):
        getattr(Forgetful(), call)()
