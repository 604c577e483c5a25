"""What a running scheduler is asked over its control topic, by others and in the wrong way, too."""

from __future__ import annotations

import sys
import threading

import pytest

import horus
from horus_core import _native
from horus_core.control import commands, server
from horus_core.nodes.node import Node
from horus_core.scheduler import orders
from horus_core.scheduler.entry import NEVER
from horus_core.scheduler.scheduler import Scheduler
from horus_core.shm import namespace as namespaces
from horus_plugins.monitor import logs, steering
from horus_plugins.monitor.control import ask, ask_topic


class Diary:
    """What a node did, in order."""

    def __init__(self, name, **options):
        self.did = []
        self.node = Node(
            name,
            tick=lambda: None,
            init=lambda: self.did.append("init"),
            shutdown=lambda: self.did.append("shutdown"),
            **{"rate": 200, **options},
        )


# spec: F34 F23 F22
def test_each_command_does_what_it_says(namespace, running, until):
    """Ping, pause, resume, restart, rate and stop reach the node they name; the last node's end is the run's."""
    arm, leg, nose = Diary("arm"), Diary("leg", rt=True), Diary("nose", on="smell")
    scheduler = running(arm.node, leg.node, nose.node, name="robot")

    def order(cmd, node=None, **fields):
        return ask(
            namespace, "robot", cmd, timeout_s=10, **({} if node is None else {"node": node}), **fields
        )

    pong = order("Ping")
    assert (pong["nodes"], pong["scheduler"], pong["stopping"]) == (["arm", "leg", "nose"], "robot", False)
    for name in ("arm", "leg", "nose"):
        answer = order("PauseNode", name)
        assert (answer["state"], answer["already"]) == ("paused", False)
        assert order("PauseNode", name)["already"]
        ticks = scheduler.get_node_stats(name)["total_ticks"]
        with pytest.raises(horus.NodeError, match="a paused one"):
            order("RestartNode", name)
        assert scheduler.get_node_stats(name)["total_ticks"] - ticks <= 1  # one may have been under way
        answer = order("ResumeNode", name)
        assert (answer["state"], answer["already"]) == ("running", False)
        assert order("ResumeNode", name)["already"]
        assert order("RestartNode", name)["state"] == "running"
    assert arm.did == leg.did == nose.did == ["init", "shutdown", "init"]
    assert order("SetNodeRate", "arm", rate=50)["rate"] == scheduler.get_node_stats("arm")["rate"] == 50
    with pytest.raises(horus.NodeError, match="one that ticks by time"):
        order("SetNodeRate", "nose", rate=50)
    with pytest.raises(horus.NodeError, match="'rate' to be a number, got 'fast'"):
        order("SetNodeRate", "arm", rate="fast")
    with pytest.raises(horus.NodeError, match="'node' to be text, got nothing"):
        order("StopNode")
    with pytest.raises(horus.NodeError, match="expected one of arm, leg, nose, got 'ar'"):
        order("StopNode", "ar")
    with pytest.raises(horus.NodeError, match="Unknown command.*got 'Explode'"):
        order("Explode")
    assert [order("StopNode", name)["last"] for name in ("arm", "leg", "nose")] == [False, False, True]
    assert nose.did == ["init", "shutdown", "init", "shutdown"]
    assert scheduler.join(20)
    with pytest.raises(horus.NodeError, match="expected one of none, got 'robot'"):
        ask(namespace, "robot", "Ping")


# spec: F34 F13
def test_an_order_may_want_no_answer_and_leave_cleaning_to_who_gives_it(namespace, running, until):
    """A launcher that stops fifty wants no fifty answers, nor fifty looks at all that the others have left."""
    scheduler = running(Diary("arm").node, name="robot")
    left, replies = (namespaces.topic_region(namespace, name) for name in ("left", "horus.ctl.robot.reply"))
    with horus.Topic("left", dict) as topic, horus.Topic("horus.ctl.robot", dict) as line:
        topic.send({"x": 1})
        line.send({"cmd": "GracefulShutdown", "reply": False, "cleaned": True})
        until(lambda: not scheduler.is_running())
    scheduler.join()
    found = namespaces.regions(namespace)
    assert left in found
    assert replies not in found
    scheduler.run(0)
    assert left not in namespaces.regions(namespace), "the next run cleans as ever"


# spec: F34
def test_a_restart_whose_init_fails_is_the_nodes_failure(namespace, running, until):
    """Who asked gets the exception, and the node's policy deals with it; an isolated node starts anew when asked."""
    broken = threading.Event()
    asked = []

    def init():
        asked.append(broken.is_set())
        if broken.is_set():
            raise ValueError("no motor")

    scheduler = running(
        Node("ok", tick=lambda: None, rate=200),
        Node("arm", tick=lambda: None, init=init, rate=200, failure_policy="isolate"),
        name="robot",
    )
    broken.set()
    for _ in range(2):  # the second time it is no longer running
        with pytest.raises(horus.NodeError, match="ValueError: no motor"):
            ask(namespace, "robot", "RestartNode", node="arm")
        until(lambda: scheduler.get_node_stats("arm")["state"] == "crashed")
    broken.clear()
    assert ask(namespace, "robot", "RestartNode", node="arm")["state"] == "running"
    assert asked == [False, True, True, False]
    broken.set()
    scheduler.remove_node("ok")
    with pytest.raises(horus.NodeError, match="no motor"):
        ask(namespace, "robot", "RestartNode", node="arm")
    with pytest.raises(ValueError, match="no motor"):  # no node is left that ticks
        scheduler.join(20)


# spec: F34
@pytest.mark.parametrize("rt", [True, False], ids=["on a thread of its own", "on the run's thread"])
def test_commands_are_answered_while_a_tick_hangs(namespace, running, gate, until, monkeypatch, rt):
    """What needs no hanging thread is done; of the rest the answer says what it waits for, and it is done later."""
    monkeypatch.setattr(orders, "_SHARE", 0.04)  # most of the time is left for the answer
    hangs, inits = threading.Event(), []

    def hang():
        hangs.set()
        gate.wait(30)

    scheduler = running(
        Node("good", tick=lambda: None, rate=200, rt=True),
        Node("bad", tick=hang, init=lambda: inits.append("bad"), rate=200, rt=rt),
        name="robot",
    )
    assert hangs.wait(20)
    assert ask(namespace, "robot", "Ping")["nodes"] == ["good", "bad"]
    assert ask(namespace, "robot", "PauseNode", node="good")["state"] == "paused"
    ask(namespace, "robot", "ResumeNode", node="good")
    ask(namespace, "robot", "PauseNode", node="bad")
    ask(namespace, "robot", "ResumeNode", node="bad")
    with pytest.raises(
        horus.NodeError, match="expected the tick of node 'bad' to end, got one that has run for"
    ):
        ask(namespace, "robot", "StopNode", node="bad", timeout_s=5)
    with pytest.raises(horus.HorusTimeoutError, match="'bad' is asked for, and not done"):
        ask(namespace, "robot", "RestartNode", node="bad", timeout_s=5)
    if rt:
        assert not ask(namespace, "robot", "StopNode", node="good", timeout_s=10)["last"]
    else:
        with pytest.raises(
            horus.HorusTimeoutError, match="its thread is busy with a tick of node 'bad', for"
        ):
            ask(namespace, "robot", "StopNode", node="good", timeout_s=0.5)
    told = [line.text for line in logs.Reader(namespace).read() if line.node == "bad"]
    assert any("is to pause, as was asked" in line for line in told), "what is not done is not said to be"
    gate.set()
    until(lambda: scheduler.get_node_names() == ["bad"])
    until(lambda: inits == ["bad", "bad"])


def test_a_node_that_hangs_is_not_said_to_be_paused():
    """It begins no further tick: more is not known."""
    done = steering.Steered("arm", "robot", 1, "", ok=True, text="", state="hung")
    assert steering._said("PauseNode", done).endswith("the one that is under way has not ended: hung.")
    done.state = "paused"
    assert steering._said("PauseNode", done).endswith("is paused.")


# spec: F34
def test_whatever_lies_on_a_control_topic_the_server_goes_on(namespace, running, until):
    """Messages that are none are answered with an error or passed over; other types, bytes and sizes harm nothing."""
    running(Node("arm", tick=lambda: None, rate=200), name="robot")
    topic = horus.Topic("horus.ctl.robot", dict)
    replies = horus.Topic("horus.ctl.robot.reply", dict)
    replies.has_msg()

    def answer(message):
        assert topic.send(message)
        return until(replies.recv)

    for cmd in (None, 7, [], {"a": 1}, "x" * 100_000, "", "ping"):
        told = answer({"cmd": cmd, "id": "1"})
        assert (told["ok"], told["id"]) == (False, "1"), cmd
        assert len(told["error"]) < 400, cmd
    assert "got None" in answer({})["error"]
    for ident in (["a"], {"b": 1}, 1.5, "x" * 1000, None):
        assert answer({"cmd": "Ping", "id": ident})["id"] is None
    assert answer({"cmd": "Ping", "id": 1 << 60, "timeout_s": "soon", "from": 5})["id"] == 1 << 60
    assert "text, got" in answer({"cmd": "StopNode", "node": b"\xff" * 1000, "id": 1})["error"]
    assert "No node" in answer({"cmd": "StopNode", "node": "arm\n", "id": 1, "extra": [[[]]] * 50})["error"]
    assert "force" in answer({"cmd": "StopNode", "node": "arm", "force": "yes", "id": 2})["error"]
    assert "too late" in answer({"cmd": "StopNode", "node": "arm", "expires_ns": 1})["error"]
    for message in ([1, 2], "StopNode", 5, None, {"ok": True, "id": "1"}, {"cmd": "Ping", "id": "2"}):
        topic.send(message) if message is not None else None
    assert until(replies.recv)["id"] == "2", "answers, and what is no dict, are passed over"
    assert answer({"cmd": "Ping", "id": "3", "big": "x" * 5_000_000})["ok"]
    assert ask(namespace, "robot", "Ping")["nodes"] == ["arm"]


# spec: F34
def test_a_control_topic_of_another_type_harms_nothing(namespace, running, until):
    """Where somebody made the topic with a type, who asks is told, and the scheduler goes on."""
    typed = horus.Topic("horus.ctl.robot", horus.CmdVel)
    scheduler = running(Node("arm", tick=lambda: None, rate=200), name="robot")
    typed.send(horus.CmdVel())
    with pytest.raises(horus.TopicTypeError, match="created by"):
        ask(namespace, "robot", "Ping")
    ticks = scheduler.get_node_stats("arm")["total_ticks"]
    until(lambda: scheduler.get_node_stats("arm")["total_ticks"] > ticks)


# spec: F34
def test_who_asks_at_once_gets_their_own_answers(namespace, running):
    """Threads that ask together each get what they asked for."""
    running(*(Node(f"n{i}", tick=lambda: None, rate=50) for i in range(4)), name="robot")
    wrong = []

    def work(name):
        for _ in range(10):
            for cmd in ("PauseNode", "ResumeNode"):
                answer = ask(namespace, "robot", cmd, node=name, timeout_s=20)
                if answer["node"] != name or answer["already"]:
                    wrong.append(answer)

    threads = [threading.Thread(target=work, args=(f"n{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# spec: F34
def test_several_schedulers_share_one_thread_and_have_topics_of_their_own(namespace, running):
    """Two of one name get two topics; one that shows itself to nobody has none, and one that ended is not there."""
    first = running(Node("a", tick=lambda: None), name="robot")
    second = running(Node("b", tick=lambda: None), name="robot")
    hidden = running(Node("c", tick=lambda: None), name="hidden", blackbox=False)
    names = [one.report.record.name for one in (first, second)]
    assert names[0] == "robot" != names[1]
    assert [ask(namespace, name, "Ping")["nodes"] for name in names] == [["a"], ["b"]]
    assert hidden.report.record.name is None
    assert [thread.name for thread in threading.enumerate()].count("horus control") == 1
    assert ask(namespace, names[1], "GracefulShutdown")["nodes"] == ["b"]
    assert second.join(20)
    assert ask(namespace, "robot", "Ping")["nodes"] == ["a"]


# spec: F34
def test_a_scheduler_that_is_stepped_is_asked_from_another_namespace(namespace, other_namespace, monkeypatch):
    """Between two steps nobody can remove a node: it is said so, and done with the next; asking needs no variable."""
    arm, leg = Diary("arm"), Diary("leg")
    with Scheduler(name="robot").add(arm.node).add(leg.node) as scheduler:
        scheduler.tick_once()
        monkeypatch.setenv("HORUS_NAMESPACE", other_namespace)
        assert ask(namespace, "robot", "Ping")["nodes"] == ["arm", "leg"]
        with pytest.raises(horus.HorusTimeoutError, match="ticks by hand, and does it with its next step"):
            ask(namespace, "robot", "StopNode", node="arm")
        assert arm.did == ["init"]
        monkeypatch.setenv("HORUS_NAMESPACE", namespace)
        scheduler.tick_once()
        assert arm.did == ["init", "shutdown"]
        assert ask(namespace, "robot", "Ping")["nodes"] == ["leg"]


# spec: F34
def test_kernels_that_cannot_sleep_on_several_words(namespace, running, monkeypatch):
    """Before Linux 5.16 the topics are looked at now and then, which is slower, and answers all the same."""
    monkeypatch.setattr(_native, "waits_on_many", lambda: False)
    running(Node("arm", tick=lambda: None), name="robot")
    running(Node("leg", tick=lambda: None), name="other")
    assert [ask(namespace, name, "Ping", timeout_s=10)["nodes"] for name in ("robot", "other")] == [
        ["arm"],
        ["leg"],
    ]


# spec: F34
def test_user_code_runs_without_a_lock(namespace, running):
    """shutdown() and init() may ask the scheduler themselves while they are called for a command."""
    heard = []

    def init(node):
        heard.append(ask(namespace, "robot", "Ping", timeout_s=10)["nodes"])

    def shutdown(node):
        heard.append(ask(namespace, "robot", "Ping", timeout_s=10)["ok"])

    running(
        Node("other", tick=lambda: None),
        Node("arm", tick=lambda: None, rate=200, init=init, shutdown=shutdown),
        name="robot",
    )
    ask(namespace, "robot", "RestartNode", node="arm", timeout_s=30)
    ask(namespace, "robot", "StopNode", node="arm", timeout_s=30)
    assert heard == [["other", "arm"], True, ["other", "arm"], True]


# spec: F34
def test_others_may_answer_on_a_topic(namespace, gate):
    """A server needs no scheduler: its commands are a table, and what it does slowly holds up nothing else."""
    known = commands.Commands()
    known.register("Fast", lambda request: {"target": request.target})
    known.register("Slow", lambda _request: {"done": gate.wait(30)}, slow=True)
    known.register("Exit", lambda _request: sys.exit(3), slow=True)
    known.register("Elsewhere", "horus_core.scheduler.orders:graceful_shutdown")
    answering = server.Server(
        "horus.launch.ctl.s", known, "me", why_slow=lambda: "it waits for a gate", who="s"
    )
    try:
        with pytest.raises(horus.HorusTimeoutError, match="it waits for a gate"):
            ask_topic(namespace, "horus.launch.ctl.s", "Slow", timeout_s=0.5)
        told = ask_topic(namespace, "horus.launch.ctl.s", "Fast")
        assert (told["target"], told["who"]) == ("me", "s")
        with pytest.raises(horus.NodeError, match="SystemExit: 3"):
            ask_topic(namespace, "horus.launch.ctl.s", "Exit")
        with pytest.raises(horus.NodeError, match="AttributeError"):
            ask_topic(namespace, "horus.launch.ctl.s", "Elsewhere")
    finally:
        gate.set()
        answering.close()
    with pytest.raises(horus.HorusTimeoutError, match="Nobody listens there"):
        ask_topic(namespace, "horus.launch.ctl.s", "Fast", timeout_s=0.05)


def test_names_of_any_length_have_a_topic():
    """Every name of a scheduler makes a topic of at most 128 characters together with its replies."""
    for length in (1, 100, 110, 112, 113, 128):
        topic = commands.topic_of("n" * length)
        assert horus.Topic(commands.reply_topic(topic)).name.startswith("horus.ctl.n")
    assert commands.topic_of("n" * 127) != commands.topic_of("n" * 128)


# spec: F16
def test_a_restart_leaves_no_emergency_stop(namespace, running, until):
    """A node that an emergency stop holds is not restarted, and is held still."""
    scheduler = running(Node("arm", tick=lambda: None, rate=200), name="robot")
    scheduler.emergency_stop("test")
    until(lambda: scheduler.safety_stats()["estop"]["engaged"])
    with pytest.raises(horus.NodeError, match="emergency stop holds"):
        ask(namespace, "robot", "RestartNode", node="arm")
    until(lambda: scheduler.entry("arm").next_ns == NEVER)
