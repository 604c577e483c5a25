"""What hears nothing, and what was never started: neither is forgotten by a session."""

import os
import signal

from launching import WAITS, ask, until

ARM = """
import horus
def stop(): print("arm shut down", flush=True)
horus.run(horus.Node("arm", tick=lambda: None, shutdown=stop, rate=50))
"""
ROBOT = f"""
stop: {{graceful: 1000, terminate: 1000}}
nodes:
  - {{name: arm, command: arm.py}}
  - {{name: waits, command: {WAITS}, depends_on: {{gate: completed}}}}
  - {{name: gate, command: sh -c 'while ! test -e open; do sleep 0.01; done', depends_on: [arm]}}
  - {{name: never, command: {WAITS}, depends_on: {{broken: completed}}}}
  - {{name: broken, command: sh -c 'test -e mended'}}
"""


# spec: C13
def test_what_was_never_started_waits_on_and_who_stands_still_is_woken_by_the_stop(launch, tmp_path):
    """--restart starts nothing without what it depends on; a frozen node ends gracefully, with its shutdown()."""
    (tmp_path / "arm.py").write_text(ARM)
    robot = launch("robot", ROBOT)
    until(lambda: "'gate' to exit" in getattr(robot.node("waits"), "waiting_for", ""), "its wait")
    code, _, said = ask("--restart", "waits")
    assert code == 0
    assert said == (
        "waits was not started yet: session robot starts it when all is there that it depends on; "
        "it waits for 'gate' to exit with code 0.\n"
    )
    # One that could not start, since what it depends on had failed, waits anew, for that is restarted, too.
    robot.reaches("never", "failed")
    (tmp_path / "mended").touch()
    assert ask("--restart", "broken")[2] == "Session robot restarts broken.\n"
    robot.reaches("broken", "stopped")
    assert ask("--restart", "never")[2].startswith("never was not started yet")
    robot.reaches("never", "running")
    assert robot.node("waits").status == "waiting"
    (tmp_path / "open").touch()
    robot.reaches("waits", "running")
    assert robot.events("NodeRestarted", node="waits") == []

    os.kill(robot.node("arm").pid, signal.SIGSTOP)
    assert robot.stop() == 0
    assert "[arm] arm shut down" in robot.out.read_text()
    assert robot.events("NodeStopping", node="arm")[0]["by"] == "GracefulShutdown"
