"""`horus topic echo`: from the topic to a stream, until a limit, Ctrl+C, or nobody reads it any more."""

from __future__ import annotations

import select
from typing import IO, TYPE_CHECKING, Any

from horus_core.errors import ConfigError, HorusTimeoutError
from horus_core.messages.message import Message
from horus_core.messages.pooled import Pooled
from horus_core.text import plain_name
from horus_plugins.echo import paths, saving, waiting
from horus_plugins.echo.listening import Limits, Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from horus_plugins.echo.formats import Format
    from horus_plugins.echo.listening import Seen


class Wanted:
    """Whether a message has the fields that are wanted; tells once of those that have not."""

    def __init__(self, fields: Sequence[paths.Path], tell: Callable[[str], None]) -> None:
        self._fields = tuple(fields)
        self._tell: Callable[[str], None] | None = tell

    def __call__(self, message: Any) -> bool:
        """Raises ConfigError for a message class that has no such field, ever."""
        try:
            for path in self._fields:
                paths.get(message, path)
        except LookupError as error:
            said = plain_name(str(error.args[0]))
            if isinstance(message, (Message, Pooled)) and _never(message, self._fields):
                raise ConfigError(f"No such field: {said}") from None
            if self._tell is not None:
                self._tell(f"passing over messages without the field: {said}")
                self._tell = None
            return False
        return True


def _never(message: Any, fields: Sequence[paths.Path]) -> bool:
    """Whether it is a name that is missing, and not an element of an array that is short now."""
    steps = [path[: number + 1] for path in fields for number in range(len(path))]
    missing = next((path for path in steps if not _has(message, path)), None)
    return missing is not None and isinstance(missing[-1], str)


def _has(message: Any, path: paths.Path) -> bool:
    try:
        paths.get(message, path)
    except LookupError:
        return False
    return True


class Output:
    """Where messages are written, at once; BrokenPipeError as soon as nobody reads it, also while nothing comes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._poll = select.poll()
        self._poll.register(stream.fileno(), 0)

    def write(self, parts: list[bytes]) -> None:
        """Write what there is, and look whether there is a reader."""
        if parts:
            self._stream.write(b"".join(parts))
            self._stream.flush()
        elif any(what & select.POLLERR for _, what in self._poll.poll(0)):
            raise BrokenPipeError


def follow(
    listener: Listener,
    limits: Limits,
    form: Format,
    output: Output,
    save: Callable[[Seen], None] | None = None,
) -> None:
    """Write messages until a limit. Raises HorusTimeoutError when none came for `limits.timeout_s`."""
    try:
        for batch in listener.listen(limits):
            if save is not None:
                for seen in batch:
                    save(seen)
                output.write([])
            else:
                output.write([_shown(seen, form, listener) for seen in batch])
    finally:
        listener.close()
    require(listener, limits)


def _shown(seen: Seen, form: Format, listener: Listener) -> bytes:
    """What is written of the message: nothing of one that cannot be, such as one that is nested too deeply."""
    try:
        return form.show(seen)
    except (RecursionError, TypeError, ValueError) as error:
        listener.unreadable(error)
        return b""


def require(listener: Listener, limits: Limits) -> None:
    """Raise HorusTimeoutError when the time without a message was up."""
    if listener.timed_out:
        raise HorusTimeoutError(
            f"Nothing came on topic {listener.topic.name!r}: expected a message within {limits.timeout_s:g} s, got "
            f"{'none' if listener.count == 0 else f'none after the first {listener.count}'}. "
            "`horus topic list` shows who publishes."
        )


class Saver:
    """Writes each message, or the field of it, to a file, and tells where."""

    def __init__(self, pattern: str, fields: Sequence[paths.Path], tell: Callable[[str], None]) -> None:
        self._pattern = pattern
        self._field = fields[0] if fields else ()
        self._tell = tell
        self._number = 0

    def __call__(self, seen: Seen) -> None:
        """Raises HorusError when it cannot be written."""
        path = saving.save(paths.get(seen.message, self._field), self._pattern, self._number)
        self._number += 1
        self._tell(f"wrote {plain_name(str(path))}")


def listening(
    topic: str,
    tell: Callable[[str], None],
    fields: Sequence[paths.Path],
    *,
    newest: bool = False,
    rate: float | None = None,
    meta: bool = False,
) -> Listener:
    """A listener that says after 2 s what it waits for."""
    wanted = Wanted(fields, tell) if fields else None
    return Listener(
        topic, tell, newest=newest, rate=rate, with_info=meta, waiting=waiting.reason, wanted=wanted
    )


def numbers(batch: list[Seen], path: paths.Path) -> Iterator[tuple[int, float]]:
    """(publish_ns, value) of each message, for a plot. Raises ConfigError for what is no number."""
    for seen in batch:
        value = paths.get(seen.message, path)
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ConfigError(
                f"Cannot plot {paths.text(path)}: expected a number, got {type(value).__name__}. "
                "Name one element or field of it."
            ) from None
        if seen.info is not None:
            yield seen.info.publish_ns, number
