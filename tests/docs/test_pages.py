"""The pages hold together: links, tables and names."""

from __future__ import annotations

import enum
import re

import cli_reference
import doc_pages
import message_reference
import pytest

import horus
from horus_core import errors

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", doc_pages.PAGES, ids=doc_pages.name)
def test_links_inside_the_project_lead_somewhere(page):
    """Every relative link names a file that is there, and a heading that is in it."""
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        assert found.exists(), target
        assert not anchor or anchor in _anchors(found), target


def test_the_reference_of_messages_is_what_the_classes_say():
    """docs/message-reference.md has every type of the box with its fields and methods, as the code has them."""
    written = message_reference.PAGE.read_text(encoding="utf-8")
    assert written == message_reference.page(), "run make reference"


def test_the_reference_of_the_command_line_is_what_the_commands_say():
    """docs/cli-reference.md has every command with its help, options and examples."""
    written = cli_reference.PAGE.read_text(encoding="utf-8")
    assert written == cli_reference.page(), "run make reference"


def test_every_message_of_the_box_is_a_name_of_horus():
    """What docs/messages.md says: all of the box's types, and the enums of their fields, are names of `horus`."""
    box = [cls for table in message_reference.TABLES for cls in table.TYPES]
    assert box
    for cls in box:
        assert getattr(horus, cls.__name__) is cls
        enums = [one.type for one in cls.__descriptors__ if isinstance(one.type, enum.EnumMeta)]
        assert all(getattr(horus, one.__name__) is one for one in enums)


def _error_names():
    return [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.HorusError) and value is not errors.HorusError
    ]


# spec: F30
@pytest.mark.parametrize("name", _error_names())
def test_every_error_is_public_and_in_troubleshooting(name):
    """Each error is a name of horus, derives from HorusError, and has a heading in docs/troubleshooting.md."""
    cls = getattr(horus, name)
    assert issubclass(cls, horus.HorusError)
    assert name.lower() in _anchors(doc_pages.ROOT / "docs" / "troubleshooting.md")


# spec: F30
@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("TopicTypeError", TypeError), ("EncodeError", TypeError), ("InvalidNameError", ValueError),
        ("ConfigError", ValueError), ("ParamError", ValueError), ("LaunchError", ValueError),
        ("HorusTimeoutError", TimeoutError),
    ],
)  # fmt: skip
def test_errors_are_also_the_builtin_ones_that_fit(name, base):
    """Code that knows nothing of HORUS catches them by Python's own names."""
    assert issubclass(getattr(horus, name), base)


# spec: A62, A63, A64, A65, A66
@pytest.mark.parametrize(
    ("seen", "remedy"),
    [
        ("not visible in another terminal", "HORUS_NAMESPACE=shared"),
        ("Type mismatch on topic", "same type on both sides"),
        ("process that crashed", "horus clean --shm"),
        ("many messages are dropped", "raise the subscriber's rate, lower the publisher's"),
        ("permission denied", "same user"),
    ],
)
def test_troubleshooting_has_the_promised_rows(seen, remedy):
    """The five rows that users were promised stand in the table, each with its remedy."""
    page = (doc_pages.ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("|") and seen in line]
    assert len(rows) == 1
    assert remedy in rows[0]
