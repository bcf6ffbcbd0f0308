"""Captures everything that is logged while a block runs, at the most verbose level, to be searched for secrets."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import structlog

from app.observability.logging import configure_logging


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
        structlog.reset_defaults()
