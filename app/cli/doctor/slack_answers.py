"""Turns Slack's answers and errors into findings."""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.cli.doctor.findings import Finding, failure
from app.slack.client import HTTP_ERROR_PREFIX, MAYBE_DONE_ERRORS, NOT_DONE_ERRORS, error_code_of

ASK_SECONDS: Final = 10
PASSING: Final = NOT_DONE_ERRORS | MAYBE_DONE_ERRORS
"""Error codes for problems on Slack's side."""


def refused(what: str, method: str, exc: Exception, *, remedy: str, client: AsyncWebClient) -> Finding:
    """`remedy` is for an error that Slack reported; without an answer, no token and no id is at fault."""
    silence = silence_of(exc, client)
    if silence is not None:
        return failure(
            what, silence, "Look at DNS, at the way out from here (egress, proxies) and at SLACK_API_URL."
        )
    said = error_code_of(exc)
    return failure(
        what, f"{method} said {said}", "That is Slack's own; look again later." if said in PASSING else remedy
    )


def silence_of(exc: Exception, client: AsyncWebClient) -> str | None:
    """That Slack did not answer, and which host was called; None: it did answer."""
    problem = error_code_of(exc)
    parts = urlsplit(client.base_url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    if isinstance(exc, (ClientError, OSError, TimeoutError)):
        return f"Slack cannot be reached: {host} gives no answer ({problem})"
    if not isinstance(exc, SlackApiError) or problem.startswith(HTTP_ERROR_PREFIX):
        return f"Slack cannot be reached: {host} answers, but not as Slack does ({problem})"
    return None
