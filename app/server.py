"""Runs one replica until SIGTERM; SIGHUP reads the configuration again."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn

from app.bootstrap import build_service
from app.config.environment import SIGNING_FORM_WARNING, UNENCRYPTED_WARNING, Settings
from app.config.loader import Config
from app.config.reloader import ConfigReloader
from app.config.source import ConfigSource
from app.observability.tracing import start_tracing, stop_tracing, use_tracing
from app.slack.auth_check import CannotStart
from app.web.connections import BoundedH11Protocol

log = structlog.get_logger(__name__)

GRACE_SECONDS: Final = 3
"""For HTTP requests that run at a stop. An action takes 2.5 s at most; the Lambda repeats a hook that is cut off."""

STOP_SECONDS: Final = 6.0
"""From the signal until nothing is waited for any more, requests included. Docker kills after 10 s."""

EXIT_SECONDS: Final = 7.0
"""From the signal to the end of the process, at the latest: a thread in a call to AWS cannot be cancelled."""

THREAD_SWITCH_INTERVAL_SECONDS: Final = 0.0005
"""How long a thread may keep the interpreter. With Python's default of 5 ms a request is delayed by that much, several
times, while boto3 parses a response in its threads."""


class Server(uvicorn.Server):
    """Does not handle signals itself: uvicorn raises SIGTERM again at the end, which would interrupt our draining."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    stop_requested_at: float | None = None
    """`time.monotonic` of the first signal."""

    def request_stop(self, received: int) -> None:
        """A graceful stop; on a second signal, without waiting for open connections."""
        if self.stop_requested_at is None:
            self.stop_requested_at = time.monotonic()
            _exit_after(EXIT_SECONDS)
        self.handle_exit(received, None)

    def seconds_left(self) -> float:
        """Of `STOP_SECONDS`."""
        since = 0.0 if self.stop_requested_at is None else time.monotonic() - self.stop_requested_at
        return max(STOP_SECONDS - since, 0.0)


async def serve(settings: Settings, config: Config, *, source: ConfigSource, database_url: str) -> None:
    """Returns after a graceful stop. `source`: where `config` was read, and is read again. Raises `CannotStart`."""
    sys.setswitchinterval(THREAD_SWITCH_INTERVAL_SECONDS)
    for name in settings.weak_secrets():
        log.warning("guessable_secret", of=name, remedy="make a longer one: openssl rand -hex 32")
    if settings.has_unencrypted_database():
        log.warning("database_connection_unencrypted", problem=f"DATABASE_URL {UNENCRYPTED_WARNING}")
    if settings.has_unusual_signing_secret():
        log.warning("unusual_signing_secret", problem=f"SLACK_SIGNING_SECRET {SIGNING_FORM_WARNING}")
    listener = _listen(settings.host, settings.port)
    tracing = start_tracing(os.environ)
    use_tracing(tracing)
    service = build_service(settings, config, database_url=database_url)
    server = Server(
        uvicorn.Config(
            tracing.instrument(service.http),
            log_config=None,
            access_log=False,
            # Not FastAPI's lifespan: uvicorn logs an error at its start instead of raising it, and leaves its end out
            # after a second SIGINT. Sockets and workers must end in every case.
            lifespan="off",
            ws="none",
            http=BoundedH11Protocol,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, server.request_stop, stop)
    reloader = ConfigReloader(
        source, in_force=config, replace=service.replace_config, mark_stale=service.rules.mark_stale
    )
    loop.add_signal_handler(signal.SIGHUP, reloader.request)
    reloading = asyncio.create_task(reloader.run())
    try:
        await service.start()
        log.info(
            "serving", host=settings.host, port=listener.getsockname()[1], domains=sorted(config.domains)
        )
        await server.serve(sockets=[listener])
    finally:
        log.info("stopping")
        reloading.cancel()
        await service.stop(seconds=server.seconds_left())
        listener.close()
        await stop_tracing(tracing, seconds=server.seconds_left())


def _exit_after(seconds: float) -> None:
    """Ends the process without waiting for its threads. By then all work is finished or cancelled."""

    def end() -> None:
        log.warning("stop_left_threads_behind", threads=threading.active_count() - 1)
        os._exit(0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _listen(host: str, port: int) -> socket.socket:
    """Binds the address first, so that a wrong one is reported at once. Connections are accepted later."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        why = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else str(exc.strerror)
        raise CannotStart(
            f"HOST, PORT: cannot listen on {host}:{port}: {why.lower()}. "
            "Name an address of this machine and a port that is free."
        ) from None
    return listener
