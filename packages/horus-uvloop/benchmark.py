"""What uvloop changes: `python benchmark.py` prints what a round trip over TCP costs, by event loop."""

from __future__ import annotations

import asyncio
import time

import horus

SECONDS = 2.0
CONNECTIONS = 8


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
    writer.close()


class Talk(horus.Node):
    """Sends lines to an echoing server of its own, over connections of which each waits for its answers."""

    def __init__(self, execution: str) -> None:
        super().__init__("talk", rate=1000, execution=execution)
        self.count = 0
        self.streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def init(self) -> None:
        """Connect."""
        self.server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        host, port = self.server.sockets[0].getsockname()
        self.streams += [await asyncio.open_connection(host, port) for _ in range(CONNECTIONS)]

    async def tick(self) -> None:
        """A hundred lines on each connection."""
        await asyncio.gather(*(self._lines(*stream) for stream in self.streams))

    async def _lines(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(100):
            writer.write(b"hello\n")
            await reader.readline()
            self.count += 1

    async def shutdown(self) -> None:
        """Disconnect."""
        for _, writer in self.streams:
            writer.close()
            await writer.wait_closed()
        self.server.close()
        await asyncio.sleep(0.1)  # the server's side sees it


for name in ("async_io", "uvloop") * 5:
    node = Talk(name)
    begin = time.process_time()
    horus.run(node, duration=SECONDS)
    cost = (time.process_time() - begin) / node.count
    print(f"{name:9} {cost * 1e6:6.1f} us of CPU time for a round trip ({node.count} of them)", flush=True)
