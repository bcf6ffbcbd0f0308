"""Captures everything that is logged while a block runs, at the most verbose level, to be searched for secrets."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import structlog

from app.observability.logging import configure_logging


def log_to_console() -> None:
    """As structlog does by default, but with plain tracebacks: those with all variables take seconds to draw."""
    structlog.reset_defaults()
    *processors, _ = structlog.get_config()["processors"]
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, console])


@contextmanager
def captured_logs(level: str = "DEBUG") -> Iterator[StringIO]:
    """The log as JSON lines. The process's own logging is restored afterwards."""
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    stream = StringIO()
    configure_logging(format="json", level=level, stream=stream)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
        log_to_console()
