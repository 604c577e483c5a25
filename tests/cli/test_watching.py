"""`--watch` in a pipe; in a terminal it is tests/cli/test_node_list.py's."""

import json
import signal

# spec: C10


def test_the_status_of_sessions_is_shown_again_and_again(horus, ns):
    """A table after another, with --json an object a line, until Ctrl+C."""
    tables = horus("launch", "--status", "--namespace", ns, "--watch", "0.05")
    objects = horus("launch", "--status", "--namespace", ns, "--watch", "0.05", "--json")
    tables.shows("No launch session runs.\n\n", times=3)
    objects.shows("sessions", times=3)
    for command in (tables, objects):
        command.signal(signal.SIGINT)
        assert command.wait() == 130
    assert [json.loads(line)["sessions"] for line in objects.stdout.splitlines()[:3]] == [[], [], []]
