"""A client that writes the given bytes at a given pace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self


class RawClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> Self:
        self._writer.write(data)
        await self._writer.drain()
        return self

    async def rest(self) -> bytes:
        """Everything until the other side closes; empty where it closed without a word."""
        try:
            return await asyncio.wait_for(self._reader.read(), 60)
        except ConnectionResetError:
            return b""

    async def read(self, bytes_: int) -> bytes:
        """At most so many bytes; empty where the other side closed."""
        return await asyncio.wait_for(self._reader.read(bytes_), 60)

    async def until(self, end: bytes) -> bytes:
        """Everything up to these bytes."""
        return await asyncio.wait_for(self._reader.readuntil(end), 60)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RawClient]:
    """A connection to the service at `url`."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
