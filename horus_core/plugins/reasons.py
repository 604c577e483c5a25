"""Why a plugin is of no use: one line for whoever installed it, with the place and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from horus_core.plugins.record import Plugin

_NOT_THEIRS = ("<frozen", __file__.rpartition("plugins")[0])


def reason(error: BaseException, plugin: Plugin) -> str:
    """What went wrong, in one line."""
    said = one_line(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {_text(error)}"
    return f"{said}{_where(error)}{_way_out(error, plugin)}"


def one_line(error: BaseException) -> str:
    """The text of an error in one line, without the full stop: what it is put into ends it."""
    return " ".join(str(error).split()).rstrip(".")


def ended(text: str) -> str:
    """A sentence with a full stop, if nothing ends it yet."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def nearest(word: str, words: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or nothing when none is near."""
    import difflib  # noqa: PLC0415 - only for an error's text

    close = difflib.get_close_matches(word, list(words), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def check_api(module: ModuleType | None) -> None:
    """Refuse a plugin that was made for another version of the hooks: it says so as HORUS_PLUGIN_API."""
    wanted = getattr(module, "HORUS_PLUGIN_API", None)
    if wanted is None:
        return
    from horus_core.plugins.kinds import API_VERSION  # noqa: PLC0415 - imports this module

    if wanted != API_VERSION:
        later = isinstance(wanted, int) and wanted > API_VERSION
        raise PluginError(
            f"expected HORUS_PLUGIN_API = {API_VERSION}, got {wanted!r}: "
            f"{'upgrade horus-core' if later else 'upgrade the plugin'}"
        )


def _text(error: BaseException) -> str:
    """What it says; of a syntax error without the file's name, which the place has."""
    return error.msg if isinstance(error, SyntaxError) and error.msg else one_line(error)


def _where(error: BaseException) -> str:
    """The last place that is neither in Python's import system nor here."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    place = ""
    frame = error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if not file.startswith(_NOT_THEIRS):
            place = f" ({file}:{frame.tb_lineno})"
        frame = frame.tb_next
    return place


def _way_out(error: BaseException, plugin: Plugin) -> str:
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return ""
    own = plugin.value.partition(":")[0]
    if own == error.name or own.startswith(f"{error.name}."):
        return f"; its metadata is there but its module is not: reinstall or uninstall {plugin.distribution}"
    return f"; it needs the module {error.name!r}: install what supplies it"
