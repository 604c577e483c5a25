"""`horus graph`: as text, in files, and as JSON."""

import json
import xml.etree.ElementTree as ET

ROBOT = """
    import horus

    def see(node):
        node.send("rgb", {"frame": 1})

    def show(node):
        if node.recv("rgb"):
            print("seen", flush=True)

    horus.run(horus.Node("camera", tick=see, rate=100), horus.Node("screen", tick=show, rate=100))
    """


# spec: F22
def test_every_format(horus, script, tmp_path):
    """Text by default; the suffix of a file says the format, --format counts for more; --json is apart."""
    script("robot.py", ROBOT)
    horus("run", "robot.py").shows("seen")

    def shown(*options, code=0):
        command = horus("graph", *options)
        assert command.wait() == code, command.stderr
        return command.stdout or command.stderr

    assert shown() == "camera -> rgb (dict) -> screen\n"
    assert shown("-o", "robot.svg") == ""
    assert ET.parse(tmp_path / "robot.svg").getroot().tag.endswith("svg")
    assert shown("--output", "robot.gv", "--format", "mermaid") == ""
    assert (tmp_path / "robot.gv").read_text().startswith("flowchart LR\n")
    assert shown("--format", "dot", "-o", "-").startswith("digraph ")
    found = json.loads(shown("--json"))
    assert [edge["kind"] for edge in found["edges"]] == ["publishes", "subscribes"]
    assert "_horus.estop" in shown("--all"), "HORUS's own topics are left out but for --all"
    assert "leave one out" in shown("--json", "--format", "dot", code=2)
    assert "got '.pdf'" in shown("-o", "robot.pdf", code=2), "and not a PDF with text in it"
    assert "Writing the graph failed" in shown("-o", "no/folder/x.svg", code=1)


def test_nothing_there(horus, ns):
    """An empty graph is one, and stderr says that nobody is there."""
    command = horus("graph", "--format", "dot")
    assert command.wait() == 0
    assert command.stdout.startswith(f'digraph "{ns}" {{')
    assert f"No nodes and no topics in namespace '{ns}'." in command.stderr
