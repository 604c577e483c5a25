"""What launch promises beside other launchers, in one session from its file to its end."""

from launching import STUBBORN, ask, horus

from horus_core.control import estop

ARM = """
import horus
speed = horus.RuntimeParams().get("max_speed", default=1.0)
def start(): print("speed", repr(speed), flush=True)
def stop(): print("arm shut down", flush=True)
horus.run(horus.Node("shoulder", tick=lambda: None, init=start, shutdown=stop))
"""
ROBOT = f"""
stop: {{graceful: 1000, terminate: 0.2}}
nodes:
  - {{name: arm, command: arm.py, params: {{max_speed: 1.5}}}}
  - {{name: deaf, command: {STUBBORN}}}
"""


# spec: C32
def test_what_launch_has_that_others_want_code_for(launch, tmp_path):
    """YAML alone; parameters; schedulers found by themselves; control; e-stop; three phases; events; groups."""
    (tmp_path / "arm.py").write_text(ARM)
    robot = launch("robot", ROBOT)
    robot.ready()
    robot.says("[arm] speed 1.5")
    (scheduler,) = robot.node("arm").schedulers
    assert (scheduler.nodes, scheduler.control_topic) == (["shoulder"], f"horus.ctl.{scheduler.name}")
    assert "Launch: robot (" in horus("node", "list")[1]
    assert ask("--status")[1].startswith("ACTIVE LAUNCH SESSIONS")
    assert horus("node", "pause", "shoulder")[0] == 0  # over the session's control topic
    robot.says("[deaf] up")
    with estop.open_topic("test") as topic:
        topic.send(estop.order_to_stop("hand in the way", "fence"))
        assert robot.wait() == 137
        topic.send(estop.order_to_release("test"))
    by = {event["node"]: event["by"] for event in robot.events("NodeStopping")}
    assert by == {"arm": "GracefulShutdown", "deaf": "SIGTERM"}
    assert "[deaf] still runs after 0.2 s more: SIGKILL" in robot.err.read_text()
    assert "[arm] arm shut down" in robot.out.read_text()
    names = [event["event"] for event in robot.events()]
    assert names[0] == "SessionStart"
    assert names[-1] == "SessionStop"
    assert "EmergencyStop" in names
