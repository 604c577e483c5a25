"""What a launcher waits for, in one poll: the output of its processes, its own streams, signals, ends."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING

from horus_plugins.launch.output import open_sinks
from horus_plugins.launch.rest import Rest

if TYPE_CHECKING:
    from horus_plugins.launch.child import Child
    from horus_plugins.launch.output import LineReader


class Pump:
    """Moves output from the processes to our streams, and tells who ended."""

    def __init__(self) -> None:
        self.out, self.err = open_sinks()
        self._children: dict[int, Child] = {}
        self._readers: dict[int, LineReader] = {}
        self._watched: set[int] = set()
        self._poll = select.poll()
        self._polled: set[int] = set()
        self._streams: tuple[bool, ...] = ()
        self._rest = Rest()

    def say(self, text: str) -> None:
        """A line of our own, on stderr, in order with what the processes say."""
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        self.err.put(text.encode(encoding, errors="replace") + b"\n")

    def add(self, child: Child) -> None:
        """Take care of a process from now on."""
        self._children[child.pid] = child
        self._readers.update((reader.fd, reader) for reader in child.readers)
        self._streams = ()

    def drop(self, child: Child) -> None:
        """Show what is left of its output and care no more: nothing of it lives."""
        child.drain()
        for reader in child.readers:
            reader.close()
        self._forget_closed()
        if self._children.get(child.pid) is child:
            del self._children[child.pid]

    def watch(self, fd: int) -> None:
        """Have turn() tell when there is something to read, or nobody writes any more."""
        self._watched.add(fd)
        self._streams = ()

    def unwatch(self, fd: int) -> None:
        """Tell of it no more."""
        self._watched.discard(fd)
        self._streams = ()

    def turn(self, timeout_ms: float | None) -> set[int]:
        """Wait for something to happen and move what there is; those watched descriptors that have something."""
        self._await()
        ready = {fd for fd, _ in self._poll.poll(self._rest.limit(timeout_ms))}
        talking = self._end_rest(ready) + [fd for fd in ready if fd in self._readers]
        for sink in {self.out, self.err}:
            if sink.fd in ready:
                sink.write()
        for fd in dict.fromkeys(talking):
            self._readers[fd].read()
        if talking:
            self._forget_closed()
        if len(talking) == 1:
            self._begin_rest(talking[0])
        return ready & self._watched

    def _end_rest(self, ready: set[int]) -> list[int]:
        """The stream that rested, if it is to be read now, before those that are ready."""
        rested = self._rest.over(others=not ready <= {self.out.fd, self.err.fd})
        if rested is None or rested not in self._polled:  # closed meanwhile, or made to wait
            return []
        self._poll.modify(rested, select.POLLIN)
        return [rested]

    def _begin_rest(self, fd: int) -> None:
        reader = self._readers.get(fd)
        if reader is not None and fd in self._polled and self._rest.begins(fd, reader.taken):
            self._poll.modify(fd, 0)  # its end is told all the same

    def push(self) -> None:
        """Write what our streams take now."""
        for sink in {self.out, self.err}:
            sink.push()

    @property
    def backlog(self) -> bool:
        """Whether lines wait to be written."""
        return self.out.pending or self.err.pending

    def reap(self) -> list[Child]:
        """Those that have ended since the last call, with all of their output moved."""
        found = []
        while (ended := _ended_child()) is not None:
            child = self._children.get(ended)
            if child is None or not child.running:  # an adopted orphan
                os.waitpid(ended, 0)
                continue
            child.reap()
            child.drain()
            found.append(child)
        self._forget_closed()
        return found

    def finish(self) -> None:
        """Write what is queued, for as long as somebody reads."""
        for child in self._children.values():
            child.drain()
        for sink in {self.out, self.err}:
            sink.finish()

    def _await(self) -> None:
        """Change what is polled for; mostly there is nothing to change."""
        out, err = self.out, self.err
        streams = (out.accepting, out.pending, err.accepting, err.pending)
        if streams == self._streams:
            return
        self._streams = streams
        wanted = self._interests()
        for fd in self._polled - wanted.keys():
            self._poll.unregister(fd)
        for fd in wanted.keys() - self._polled:
            self._poll.register(fd, wanted[fd])
        self._polled = set(wanted)

    def _interests(self) -> dict[int, int]:
        wanted = dict.fromkeys(self._watched, select.POLLIN)
        accepting = {id(sink) for sink in {self.out, self.err} if sink.accepting}
        for fd, reader in self._readers.items():
            if id(reader.sink) in accepting:
                wanted[fd] = select.POLLIN
        for sink in {self.out, self.err}:
            if sink.pending:
                wanted[sink.fd] = select.POLLOUT
        return wanted

    def _forget_closed(self) -> None:
        closed = [fd for fd, reader in self._readers.items() if not reader.open]
        for fd in closed:
            del self._readers[fd]
            if fd in self._polled:  # at once: the next process may get this very number
                self._poll.unregister(fd)
                self._polled.discard(fd)


def _ended_child() -> int | None:
    """The pid of a child that has ended and is not reaped yet; it stays unreaped."""
    try:
        info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return info.si_pid if info else None
