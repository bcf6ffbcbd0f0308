"""Structured logs, ours and the libraries', with every secret redacted before a line is written."""

import logging
import secrets as random_bytes
import sys
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import Processor

from app.observability.redaction import mask, register_secrets

__all__ = ["LogFormat", "configure_logging", "error_id", "register_secrets"]

LogFormat = Literal["json", "console"]

WARNINGS_ONLY: Final = (
    "aiohttp",
    "alembic",
    "asyncio",
    "boto3",
    "botocore",
    "httpcore",
    "httpx",
    "opentelemetry",
    "slack_sdk",
    "sqlalchemy",
    "urllib3",
    "uvicorn",
)
"""Libraries that log from WARNING on: at DEBUG they write whole requests, execution ids included."""

ERRORS_ONLY: Final = "slack_bolt."
"""Bolt's loggers log from ERROR on: its warnings contain the body of the unhandled request."""


class _AppHandler(logging.StreamHandler[TextIO]):
    """Our log handler; a class of its own, so that a second call replaces it and no other."""


def configure_logging(*, format: LogFormat | None, level: str, stream: TextIO | None = None) -> None:
    """Writes one line for each event to `stream` (default: stderr). May be called again.

    No `format`: console on a terminal, else json. `level` is a level name of the standard library, in capitals.
    """
    stream = stream or sys.stderr
    format = format or ("console" if stream.isatty() else "json")
    # Processors of every event; the exception becomes text here, so that it is redacted too.
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]
    handler = _AppHandler(stream)
    # By a filter, not by a level: Bolt gives each of its loggers the root's level when it is built.
    handler.addFilter(_without_bolt_warnings)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderer(format, stream),
            ],
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Not cached: module loggers must follow a second call, which tests and the sandbox make.
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _AppHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in WARNINGS_ONLY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _without_bolt_warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or not record.name.startswith(ERRORS_ONLY)


def error_id() -> str:
    """A short id that a person can read out; log it as `error_id` with the error."""
    return random_bytes.token_hex(4)


def _renderer(format: LogFormat, stream: TextIO) -> list[Processor]:
    if format == "json":
        return [structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]
