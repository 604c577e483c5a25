"""`horus msg`: types that are installed, in a file, in a module, or on a topic whose class others have."""

import json
import subprocess
import sys
import textwrap

import pytest

GRIPPER = '''
    import enum
    import horus

    class Mode(enum.IntEnum):
        IDLE = 0
        GRIPPING = 1

    class GripperState(horus.Message, topic="gripper_state"):
        """What a gripper does."""
        width: horus.f64 = horus.field(default=0.04, unit="m", doc="Between the fingers.")
        mode: Mode = horus.field(default=Mode.GRIPPING, storage=horus.u8, doc="What it does.")
        frame_id: str = horus.text(16, default="größe", doc="Which one.")
    '''
PUBLISH = """
    import time
    import horus
    from gripper import GripperState
    topic = horus.Topic(GripperState, _node="the gripper")
    topic.send(GripperState(0.02))
    status = horus.Topic("status", dict)
    status.send({"a": 1})
    print("sent", flush=True)
    while True:
        time.sleep(0.05)
    """


@pytest.fixture
def msgs(horus):
    """Run several `horus msg ...` at the same time; (exit code, stdout, stderr) of each."""

    def run(all_arguments):
        commands = [horus("msg", *arguments) for arguments in all_arguments]
        return [(command.wait(), command.stdout, command.stderr) for command in commands]

    return run


@pytest.fixture
def msg(msgs):
    """Run `horus msg ...` and return (exit code, stdout, stderr)."""
    return lambda *arguments: msgs([arguments])[0]


@pytest.fixture
def live(horus, script):
    """A process that publishes GripperState on gripper_state, whose class stands in no package."""
    script("gripper.py", GRIPPER)
    script("publish.py", PUBLISH)
    command = horus("run", "publish.py")
    command.shows("sent")
    return command


def test_list_has_every_type_with_its_topic_size_and_package(msg):
    """As a table, and as JSON with all fields."""
    code, out, err = msg("list")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert rows["TYPE"] == ["TOPIC", "BYTES", "FROM"]
    assert rows["CmdVel"][:3] == ["cmd_vel", "16", "horus-core"]
    assert rows["Point3"][:2] == ["-", "24"]
    assert rows["LaserScan"][1] == "<=32824"
    assert rows["Image"][:2] == ["image", "pool"]
    types = {one["name"]: one for one in json.loads(msg("list", "--json")[1])["types"]}
    assert set(types) == set(rows) - {"TYPE"}
    assert types["CmdVel"]["fields"][1]["unit"] == "m/s"


def test_show_has_every_field_with_offset_unit_and_default(msg, script):
    """Of an installed type, of one in a file, and of one in a module."""
    code, out, _ = msg("show", "Waypoint")
    assert code == 0
    assert next(line.split()[:6] for line in out.splitlines() if "curvature" in line) == [
        "96",
        "4",
        "curvature",
        "f32",
        "1/m",
        "0",
    ]
    assert "pose.theta" in out
    script("gripper.py", GRIPPER)
    for name in ("gripper.py:GripperState", "gripper:GripperState"):
        code, out, _ = msg("show", name, "--json")
        shown = json.loads(out)
        assert (code, shown["name"], shown["size"], shown["doc"]) == (
            0,
            "GripperState",
            32,
            "What a gripper does.",
        )
        mode = shown["fields"][1]
        assert (mode["type"], mode["default"], mode["members"]) == (
            "u8",
            "GRIPPING",
            {"IDLE": 0, "GRIPPING": 1},
        )
        assert shown["fields"][2]["default"] == "'größe'"


# spec: F25
def test_show_reads_a_topic_without_its_class(msg, live):
    """From the region of a living process; nothing is imported, and who made the topic is named."""
    for said in (["--topic", "gripper_state"], ["topic:gripper_state"]):
        code, out, err = msg("show", *said)
        assert (code, err) == (0, "")
        assert f"which the gripper (pid {live.pid}) made" in out
        assert "Between the fingers." in out
        assert "0 IDLE, 1 GRIPPING" in out
    here = json.loads(msg("show", "gripper.py:GripperState", "--json")[1])
    there = json.loads(msg("show", "--topic", "gripper_state", "--json")[1])
    assert here["hash"] == there["hash"]
    code, _, err = msg("show", "--topic", "status")
    assert code == 1
    assert "it carries dicts, which have none" in err
    code, _, err = msg("show", "--topic", "gripper_stat")
    assert (code, "Did you mean 'gripper_state'?" in err) == (1, True)


FIND = """
    import json, sys
    from horus_core.errors import HorusError
    from horus_plugins.monitor import message_lookup
    for said in json.loads(sys.argv[1]):
        try:
            message_lookup.find(said)
        except HorusError as error:
            print(json.dumps(str(error)))
    """


def test_what_cannot_be_found_is_said(ns, script, tmp_path):
    """Names that nobody has, with the nearest; modules that fail, with the line; names that are something else."""
    script("broken.py", "import horus\nx = 1\nraise RuntimeError('no')\n")
    script("deeper/json.py", "raise RuntimeError('another json')\n")
    script("leaves.py", "import sys\nprint('noise')\nsys.exit(3)\n")
    said = {
        "CmdVe": "Did you mean 'CmdVel'?",
        "broken.py:A": "RuntimeError: no",
        "broken:A": "broken.py:3",
        "leaves.py:A": "SystemExit: 3",
        "nowhere.py:A": "expected a Python file, got none",
        "deeper/json.py:A": "RuntimeError: another json",
        "json:dumps": "expected a subclass of horus.Message",
        "horus:CmdVal": "No message type",
        "horus:Message": "expected a subclass of horus.Message",
        "no.such.module:A": "ModuleNotFoundError",
        "topic:a b": "expected 1 to 128 characters",
        "topic:scan": "No topic 'scan'",
    }
    command = [sys.executable, "-c", textwrap.dedent(FIND), json.dumps(list(said))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    errors = [json.loads(line) for line in done.stdout.splitlines()]
    for expected, error in zip(said.values(), errors, strict=True):
        assert expected in error
    assert "noise" in done.stderr


def test_what_cannot_be_shown_ends_without_a_traceback(msgs):
    """1 for a type that is not there, 2 for a command that makes no sense."""
    missing, *usage = msgs([("show", "CmdVe"), ("show",), ("show", "CmdVel", "--topic", "cmd_vel")])
    assert missing[:2] == (1, "")
    assert missing[2].startswith("horus: No message type 'CmdVe'")
    assert [code for code, _, _ in usage] == [2, 2]


def test_check_finds_what_is_wrong_with_a_file(msg, script):
    """Errors make it fail, notes with --strict only."""
    script("good.py", GRIPPER)
    assert msg("check", "good.py") == (0, "good.py: types GripperState; errors 0, notes 0\n", "")
    script(
        "poor.py",
        '''
        import horus

        class Loose(horus.Message, topic="scan"):
            flag: horus.u8 = 0
            speed: horus.f64 = 0.0
            timestamp_ns: horus.u64 = 0
            last: horus.u8 = 0

        class Block(horus.Message):
            """Large."""
            data: bytes = horus.array(horus.u8, 5000, doc="Of what.")
        ''',
    )
    code, out, _ = msg("check", "poor.py")
    assert code == 0
    for expected in (
        "note: Loose: has no docstring",
        "note: Loose: speed: has no unit",
        "note: Loose: flag: has no doc",
        "note: Loose: timestamp_ns: can be given by position",
        "is 32 bytes, with padding: 7 bytes before speed. With its fields in order of size, large ones first, it is",
        "has the default topic 'scan' of LaserScan (horus-core)",
        "note: Block: is 5000 bytes, which travel each time",
    ):
        assert expected in out
    assert msg("check", "poor.py", "--strict")[0] == 1
    report = json.loads(msg("check", "poor.py", "--json")[1])
    assert {finding["severity"] for finding in report["findings"]} == {"note"}


def test_check_takes_a_package_whole(msg, script):
    """Every module of it but __main__, whose import would run it; a module that cannot be imported is an error."""
    script("grippers/__init__.py", "")
    script("grippers/two.py", GRIPPER)
    script(
        "grippers/deeper/__init__.py", GRIPPER.replace("GripperState", "DeepState").replace("_state", "_deep")
    )
    script("grippers/__main__.py", "raise RuntimeError('this runs the program')")
    assert msg("check", "grippers") == (0, "grippers: types DeepState, GripperState; errors 0, notes 0\n", "")
    script("grippers/three.py", "import no_such_thing")
    code, out, err = msg("check", "grippers")
    assert (code, out) == (1, "")
    assert "Importing grippers.three failed: ModuleNotFoundError" in err


def test_check_fails_for_errors(msgs, script):
    """Names of others, methods that raise, definitions that are refused, nothing to check."""
    said = {
        "class CmdVel(horus.Message):\n    x: horus.u8 = 0\n": "has the name of a type of horus-core",
        "class A(horus.Message):\n    x: horus.u8 = 0\n    def is_valid(self): raise KeyError(1)\n": (
            "is_valid() of a new message raises KeyError: 1"
        ),
        "class A(horus.Message):\n    x: float = 0\n": "A.x: expected horus.f32, f64",
        "class A(horus.Message, topik='a'):\n    x: horus.u8 = 0\n": "bad3.py:2",
        "x = 1\n": "no message type: expected a subclass of horus.Message in bad4.py",
    }
    files = [script(f"bad{i}.py", "import horus\n" + body).name for i, body in enumerate(said)]
    found = msgs([("check", file) for file in files])
    for expected, (code, out, err) in zip(said.values(), found, strict=True):
        assert code == 1
        assert expected in out + err


def test_diff_tells_two_types_apart_by_exit_code(msg, live, script):
    """The same type in a file and on a topic; one with a field more; units alone; one that is not there."""
    code, out, _ = msg("diff", "gripper.py:GripperState", "topic:gripper_state")
    assert code == 0
    assert out.startswith("same type: GripperState, 32 bytes, hash ")
    script("newer.py", GRIPPER.replace("mode: Mode", "force: horus.f32 = 0.0\n        mode: Mode"))
    code, out, _ = msg("diff", "newer.py:GripperState", "topic:gripper_state")
    assert code == 1
    assert "force: f32 in newer.py:GripperState, missing in topic:gripper_state" in out
    assert "mode: at byte 12 in newer.py:GripperState, at byte 8 in topic:gripper_state" in out
    script("inches.py", GRIPPER.replace('unit="m"', 'unit="in"'))
    code, out, _ = msg("diff", "inches.py:GripperState", "gripper.py:GripperState")
    assert (code, "width: unit 'in', 'm'" in out) == (0, True)
    code, out, _ = msg("diff", "CmdVel", "Twist")
    assert (code, "linear: f32 in CmdVel, f64[3] in Twist" in out) == (1, True)
    for wrong in (("CmdVel", "Nobody"), ("topic:nowhere", "CmdVel")):
        code, out, err = msg("diff", *wrong)
        assert (code, out) == (2, "")
        assert err.startswith("horus: No ")


HOSTILE = """
    import time
    import horus
    from horus_core import _native
    from horus_core.messages.fields import field, text
    evil = "\\x1b[31m\\nhash 00\\u202e\\x07"
    class Evil(horus.Message):
        größe: horus.f64 = horus.field(default=0.0, unit=evil, doc=evil)
        名前: str = horus.text(8, doc=evil)
    topic = horus.Topic("evil", Evil, _node="node\\n\\x1b[2J")
    topic.send(Evil())
    print("sent", flush=True)
    while True:
        time.sleep(0.05)
    """


def test_words_from_a_region_forge_no_lines_and_no_escapes(horus, msg, script):
    """Units, docs and names that other processes wrote are shown as text, also those of other alphabets."""
    script("hostile.py", HOSTILE)
    command = horus("run", "hostile.py")
    command.shows("sent")
    code, out, _ = msg("show", "--topic", "evil")
    assert code == 0
    assert "größe" in out
    assert "名前" in out
    assert sum(line.startswith("hash ") for line in out.splitlines()) == 1
    code, difference, _ = msg("diff", "topic:evil", "CmdVel")
    assert code == 1
    for shown in (out, difference):
        assert not set(shown) & set("\x1b\x07\u202e\r")
    assert len(out.splitlines()) == 7


def test_a_failed_plugin_is_said_and_the_others_are_listed(msg, tmp_path, monkeypatch):
    """One line on stderr names it; its types are missing, those of the box are not."""
    info = tmp_path / "site" / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[horus.messages]\nacme = acme_messages\n")
    (tmp_path / "site" / "acme_messages.py").write_text("raise RuntimeError('no')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    code, out, err = msg("list")
    assert (code, "CmdVel" in out) == (0, True)
    assert "acme 1.0" in err
    assert "RuntimeError: no" in err


def test_a_diff_of_pool_backed_types_is_refused(msg):
    """They are listed and shown, and have no layout: that is what it says."""
    code, out, err = msg("diff", "Image", "Image")
    assert (code, out) == (2, "")
    assert "Reading the layout of Image failed: its payload lies in the pool" in err
