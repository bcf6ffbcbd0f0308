"""A web server in its own thread, so that stand-ins answer while the caller's loop is busy."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from aiohttp import web

T = TypeVar("T")


class ServerThread:
    """Serves an aiohttp application on `host:port` (0: any free one) until `stop()`.

    `url` has no trailing slash. aiohttp, because it speaks WebSocket (Socket Mode) and writes a small
    response in one go, and because it is not the server under test.
    """

    def __init__(self, app: web.Application, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"stand-in:{self.port}", daemon=True)

    def start(self) -> Self:
        """Returns once connections are accepted."""
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError(f"the stand-in at {self.url} did not start within 10 s")
        return self

    def stop(self) -> None:
        """Closes every connection; returns when the thread has ended."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def run(self, work: Coroutine[Any, Any, T], *, timeout: float = 30) -> T:
        """Runs a coroutine on the server's loop from another thread and gives its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _open(self) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, backlog=2048).start()

    async def _close(self) -> None:
        await self._runner.cleanup()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self._loop.shutdown_default_executor()
