"""`horus topic info`, `find`, `hz`, `bw` and `delay` on topics of other processes."""

import json
import shlex
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from click.testing import CliRunner
from horus_cli import topic

import horus as api
from horus_core.shm import namespace

ROBOT = """
    import sys
    import time
    import numpy as np
    import horus
    motor = horus.Topic("motor/left", horus.CmdVel, _node="motor")
    camera = horus.Topic("cam", horus.Image, _node="camera")
    status = horus.Topic("status", dict, latched=True, _node="watch")
    frame = np.zeros((48, 64, 3), np.uint8)
    status.send({"ok": True})
    camera.send(horus.Image.from_numpy(frame))
    motor.send(horus.CmdVel())
    print("ready", flush=True)
    while True:
        time.sleep(0.005)
        motor.send(horus.CmdVel(timestamp_ns=time.monotonic_ns()))
        camera.send(horus.Image.from_numpy(frame))
    """
READER = """
    import time
    import horus
    topic = horus.Topic("motor/left", _node="slow")
    topic.recv()
    print("ready", flush=True)
    while True:
        topic.recv()
        time.sleep(0.001)
    """
OTHER_TYPE = """
    import horus
    try:
        horus.Topic("motor/left", horus.Imu, _node="confused")
    except horus.TopicTypeError:
        print("refused", flush=True)
    """


SERVER = """
    import time
    import horus
    topic = horus.Topic("horus.ctl.me", dict)
    print("on", flush=True)
    time.sleep(99)
    """


def ended(command, code=0):
    assert command.wait() == code, command.stderr
    return command


def objects(command, code=0):
    return [json.loads(line) for line in ended(command, code).stdout.splitlines()]


@pytest.fixture
def robot(horus, script):
    """A robot with three topics, and a process whose subscriber reads one of them."""
    script("robot.py", ROBOT)
    script("reader.py", READER)
    robot = horus("run", "robot.py")
    robot.shows("ready")
    return robot


# spec: A51 A52 A56 C17 F22 F23
def test_followers_tell_rates_bytes_and_delays(horus, robot):
    """Of a topic that is published, of one with images, and of one on which nothing comes."""
    reader = horus("run", "reader.py")
    reader.shows("ready")
    running = [
        horus("topic", "hz", "motor/left", "-n", "50", "--json"),
        horus("topic", "bw", "cam", "-n", "20", "--json"),
        horus("topic", "delay", "motor/left", "-n", "40", "--json"),
        horus("topic", "hz", "motor/left", "--duration", "1"),
        horus("topic", "hz", "status", "--duration", "0.1"),
    ]
    last = objects(running[0])[-1]
    assert last["state"] == "publishing"
    assert last["total"] >= 50
    assert not last["sampled"]
    assert 0 < last["rate_hz"] < 200
    assert last["interval_ms"]["min"] >= 5
    carried = objects(running[1])[-1]
    assert carried["message_bytes"]["mean"] == 48 * 64 * 3
    assert carried["bytes"] == carried["messages"] * 48 * 64 * 3
    delayed = objects(running[2])[-1]
    assert (delayed["clock"], delayed["unset"]) == ("monotonic", 0)
    assert [one["node"] for one in delayed["subscribers"]] == ["slow"]
    assert " Hz  " in ended(running[3]).stdout
    assert "no messages yet (the last one was sent" in ended(running[4], 1).stdout
    never = ended(horus("topic", "hz", "nothing", "--duration", "0.1"), 1)
    assert (never.stdout, never.stderr.splitlines()[1:]) == (
        "",
        ["horus: no message came: there is no topic 'nothing'."],
    )

    reader.signal(signal.SIGSTOP)
    before = objects(horus("topic", "info", "motor/left", "--json"))[0]["state"]
    objects(horus("topic", "hz", "motor/left", "-n", "30", "--json"))
    after = objects(horus("topic", "info", "motor/left", "--json"))[0]["state"]
    reader.signal(signal.SIGCONT)
    assert after["publishers"][0]["sent"] >= before["publishers"][0]["sent"] + 30, (
        "a stopped reader holds nobody up"
    )
    assert "refused" not in after["publishers"][0]
    assert after["subscribers"][0]["lag"] + after["subscribers"][0]["missed"] >= 30


# spec: A56 C17 F22
def test_info_and_find_tell_all_about_a_topic(horus, robot, script, ns):
    """Layout, memory, users; who was refused for another type; what is missing gets its nearest name and place."""
    script("confused.py", OTHER_TYPE)
    confused = ended(horus("run", "confused.py"))
    assert "refused" in confused.stdout
    info = objects(horus("topic", "info", "motor/left", "--json"))[0]
    fields = [(field["name"], field["offset"]) for field in info["layout"]["fields"]]
    assert fields == [("timestamp_ns", 0), ("linear", 8), ("angular", 12)]
    (refused,) = info["mismatches"]
    assert "expected Imu (typed), got CmdVel (typed)" in refused
    text = ended(horus("topic", "info", "motor/left")).stdout
    assert f"publisher   motor  pid {robot.pid}" in text
    assert "MISMATCH" in text
    assert "linear        f32   m/s" in text
    pictures = objects(horus("topic", "info", "cam", "--json"))[0]
    assert pictures["state"]["capacity"] == 8
    assert pictures["memory"]["blocks"] in {7, 8}, "one may be under way"
    assert pictures["memory"]["block_bytes"] >= 8 * 48 * 64 * 3

    assert ended(horus("topic", "find", "Image")).stdout.splitlines()[1].split() == ["cam", "Image", "active"]
    found = objects(horus("topic", "find", "motor/*", "--json"))[0]["topics"]
    assert [one["name"] for one in found] == ["motor/left"]
    ended(horus("topic", "find", "Nothing"), 1)
    missing = ended(horus("topic", "info", "motor/lift"), 1)
    assert "Did you mean 'motor/left'?" in missing.stderr
    elsewhere = ended(horus("topic", "info", "cam", "--namespace", f"{ns}-none"), 1)
    assert f"Namespace '{ns}' has it: --namespace {ns}." in elsewhere.stderr


def test_a_follower_waits_ends_quietly_and_says_what_became_of_the_topic(horus, script):
    """It comes before the topic; the topic's process is killed and comes again; who reads its output goes away."""
    follower = horus("topic", "hz", "motor/left", "--window", "1")
    follower.shows("No topic 'motor/left'")
    follower.shows("Waiting for it.")
    delays = horus("topic", "delay", "motor/left")
    delays.shows("Waiting for it.")
    script("robot.py", ROBOT)
    robot = horus("run", "robot.py")
    follower.shows("was made now")
    delays.shows("was made now")
    follower.shows(" Hz  ")
    robot.signal(signal.SIGKILL)
    robot.wait()
    follower.shows("no messages for")
    follower.shows("no publisher lives")
    again = horus("run", "robot.py")
    again.shows("ready")
    follower.shows("was made", times=2)
    delays.shows("was made", times=2)
    follower.signal(signal.SIGINT)
    assert follower.wait() == 130
    assert "Traceback" not in follower.stderr
    line = f"'{sys.executable}' -m horus_cli topic hz cam | head -n 1"
    piped = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=30)
    assert " Hz  " in piped.stdout
    assert piped.stderr == ""


def _scribble(ns, name, description):
    """Put another description into a topic's region, in which it is as long."""
    path = namespace.SHM / namespace.topic_region(ns, name)
    data = path.read_bytes()
    at, length = 62016, int.from_bytes(data[72:80], "little")
    with path.open("r+b") as file:
        file.seek(at)
        file.write(description.encode().ljust(length))
        file.seek(2304 + 48)  # the first publisher's name
        file.write(b"evil\x1b[31m\nTOPIC forged\0")


# spec: F22
def test_hostile_names_forge_no_line_and_steer_no_terminal(horus, robot, ns):
    """Type, node and creator as another process wrote them: shown, not obeyed, in one line each."""
    hostile = "x\u202e\x1b]0;owned\x07\nfake  dict  active"
    _scribble(ns, "motor/left", json.dumps({"topic": hostile, "type": hostile, "creator": {"node": hostile}}))
    for command in (
        ("list", "-v"),
        ("info", "motor/left"),
        ("find", "motor*"),
        ("hz", "motor/left", "-n", "1"),
        ("delay", "motor/left", "-n", "1"),
    ):
        shown = horus("topic", *command)
        shown.wait()
        everything = shown.stdout + shown.stderr
        assert not {"\x1b", "\x07", "\u202e"} & set(everything), command
        assert not [line for line in everything.splitlines() if line.startswith(("fake", "TOPIC forged"))]
    listed = objects(horus("topic", "list", "--json"))[0]["topics"]
    assert [one["type"] for one in listed if one["name"] == "motor/left"] == [hostile]


# spec: F4
def test_framework_topics_are_hidden_unless_asked_for(horus, script, ns):
    """`horus.*` and `_horus.*` are there with --all, and a list that hides all of them says so."""
    script(
        "server.py",
        SERVER,
    )
    server = horus("run", "server.py")
    server.shows("on")
    hidden = ended(horus("topic", "list"))
    assert hidden.stdout == ""
    assert "--all shows HORUS's" in hidden.stderr
    assert "horus.ctl.me" in ended(horus("topic", "list", "--all")).stdout


# spec: F22
def test_a_bad_name_is_an_error_before_anything_is_looked_at(horus):
    """The same rule as everywhere."""
    for verb in ("info", "hz", "bw", "delay"):
        command = ended(horus("topic", verb, "a b"), 1)
        assert "Bad topic name" in command.stderr


def _examples(verb):
    """The lines of its help, as words; followers are to end."""
    text = topic.topic.get_command(None, verb).help.partition("Examples:")[2]
    for line in text.strip().splitlines():
        words = shlex.split(line.strip().split("  ")[0])[2:]
        ends = {"-n", "--duration"} & set(words)
        yield words + (["-n", "1"] if verb in {"hz", "bw", "delay"} and not ends else [])


# spec: F22
def test_every_example_of_their_help_works(ns):
    """Each line that the help shows, on topics of those names."""
    kinds = {"imu": api.Imu, "camera.rgb": api.Image, "scan": api.LaserScan, "front.rgb": api.Image}
    opened = {name: api.Topic(name, kind) for name, kind in kinds.items()}
    picture = np.zeros((4, 4, 3), np.uint8)
    over = threading.Event()

    def publish():
        while not over.wait(0.01):
            for name, kind in kinds.items():
                opened[name].send(api.Image.from_numpy(picture) if kind is api.Image else kind())

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        ran = [words for verb in ("info", "find", "hz", "bw", "delay") for words in _examples(verb)]
        for words in ran:
            done = CliRunner().invoke(topic.topic, ["0.2" if word in {"3", "5"} else word for word in words])
            assert (done.exit_code, bool(done.stdout)) == (0, True), (words, done.output, done.exception)
    finally:
        over.set()
        thread.join()
        for one in opened.values():
            one.close()
    assert len(ran) >= 12
