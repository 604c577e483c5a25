"""What is drawn on a terminal fits its width."""

import pytest

from horus_plugins.monitor import screen


@pytest.mark.parametrize(
    ("line", "columns", "shown"),
    [
        ("camera  Running", 15, "camera  Running"),
        ("camera  Running", 9, "camera  R"),
        ("a \x1b[31mred\x1b[0m line", 5, "a \x1b[31mred\x1b[0m"),
        ("a \x1b[31mred\x1b[0m line", 10, "a \x1b[31mred\x1b[0m line"),
        ("a \x1b[31mred\x1b[0m line", 4, "a \x1b[31mre\x1b[0m"),
        ("你好 there", 3, "你"),
        ("你好 there", 5, "你好 "),
        ("e\u0301tat", 2, "e\u0301t"),
        ("", 5, ""),
    ],
)
def test_a_line_is_cut_by_its_columns(line, columns, shown):
    """Wide characters take two, combining ones and colours none; no colour goes on behind the cut."""
    assert screen.clip(line, columns) == shown
