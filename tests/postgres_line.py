"""The line to Postgres, which a test may cut, mute and mend: a Unix socket in front of the server's own."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

SOCKET = ".s.PGSQL.5432"


class Line:
    """A proxy before Postgres, at `url` until it is cut. Runs in the test's event loop. `ways` counts round trips:
    how often the client sent something after the server had answered."""

    def __init__(self, folder: Path, url: str) -> None:
        parts = urlsplit(url)
        self._theirs = f"{parse_qs(parts.query)['host'][0]}/{SOCKET}"
        self._ours = folder / SOCKET
        self.url = parts._replace(query=f"host={quote(str(folder), safe='')}").geturl()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.ways = 0
        self._server_spoke = True

    async def mend(self) -> None:
        """Everything flows again."""
        self._open.set()
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._connect, str(self._ours))

    async def cut(self) -> None:
        """Every connection is dropped and new ones are refused: the server is down."""
        if self._server is not None:
            self._server.close()
        self._server = None
        self._ours.unlink(missing_ok=True)
        for writer in list(self._writers):
            writer.transport.abort()

    def mute(self) -> None:
        """Connections stay, and are made, and nothing comes through: a firewall, a dead host."""
        self._open.clear()

    async def close(self) -> None:
        await self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._theirs)
        for source, sink, from_server in ((reader, far_writer, False), (far_reader, writer, True)):
            self._writers.add(sink)
            pump = asyncio.create_task(self._pump(source, sink, from_server=from_server))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, from_server: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await self._open.wait()
                self.ways += self._server_spoke and not from_server
                self._server_spoke = from_server
                sink.write(data)
                await sink.drain()
        sink.close()
        self._writers.discard(sink)


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """An uncut line to the database at `url`."""
    folder = Path(tempfile.mkdtemp(prefix="switchgate-line-"))
    line = Line(folder, url)
    await line.mend()
    try:
        yield line
    finally:
        await line.close()
        shutil.rmtree(folder, ignore_errors=True)
