"""Runs one replica until SIGTERM; SIGHUP reads the configuration again."""

import asyncio
import signal
from pathlib import Path
from typing import Final

import structlog
import uvicorn

from app.domains import Config
from app.settings import Settings
from app.wiring import Service

log = structlog.get_logger(__name__)

GRACE_SECONDS: Final = 5


async def serve(settings: Settings, config: Config, *, database_url: str) -> None:
    """Returns after a graceful stop. Raises `CannotStart`."""
    service = Service(settings, config, database_url=database_url)
    try:
        await service.start()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, service.reload, Path(settings.config))
        server = uvicorn.Server(
            uvicorn.Config(
                service.http(),
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        log.info("serving", host=settings.host, port=settings.port, domains=sorted(config.domains))
        await server.serve()
    finally:
        log.info("stopping")
        await service.stop()
