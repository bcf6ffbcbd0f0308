"""Counts the AWS calls that fail, by service, operation and error code."""

import re
from typing import Any, Final

import boto3

from app.observability.metrics import AWS_ERRORS

FIRST_ERROR_STATUS: Final = 300
"""From here on botocore raises."""

CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,79}")


def count_errors(session: boto3.session.Session) -> None:
    """Watches every call of the session: call it before the session's clients are made.

    A call counts once, after botocore's own retries. Events have the names of botocore's documentation:
    `after-call.<service>.<operation>` and `after-call-error.<service>.<operation>`.
    """
    session.events.register("after-call", _answered)
    session.events.register("after-call-error", _unanswered)


def _answered(event_name: str, http_response: Any, parsed: Any, **_: Any) -> None:
    if http_response.status_code < FIRST_ERROR_STATUS:
        return
    code = str((parsed.get("Error") or {}).get("Code", "")).rsplit("#", 1)[-1]
    _count(event_name, code if CODE.fullmatch(code) else f"http_{http_response.status_code}")


def _unanswered(event_name: str, exception: BaseException, **_: Any) -> None:
    _count(event_name, type(exception).__name__)


def _count(event_name: str, code: str) -> None:
    _, service, operation = event_name.split(".", 2)
    AWS_ERRORS.labels(service=service, operation=operation, code=code).inc()
