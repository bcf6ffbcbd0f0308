"""`POST /slack/events`: HTTP mode's door. Bolt proves the signature over the raw body and dispatches."""

import re
from typing import Final

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TIMESTAMP: Final = re.compile("[0-9]{1,15}")
LARGEST: Final = 4 * 2**20
"""A view may be 250 kB, comes as JSON within a form, and brings its state along."""


def events_route(bolt: AsyncApp) -> Route:
    """The route. What is malformed is refused here: Bolt parses before it verifies, and fails with a 500.

    Starlette's own: Slack's payloads are Bolt's to read, and what FastAPI does beside that takes longer than Bolt.
    """

    async def slack_events(request: Request) -> Response:
        stamp = request.headers.get("x-slack-request-timestamp", "0")
        if not TIMESTAMP.fullmatch(stamp) or not request.headers.get("x-slack-signature", "").isascii():
            return _refusal(401, "invalid request")
        body = await _body(request)
        if body is None:
            return _refusal(413, "too large")
        try:
            asked = to_async_bolt_request(request, body)
        except (ValueError, TypeError, AttributeError):
            return _refusal(400, "malformed")
        return to_starlette_response(await bolt.async_dispatch(asked))

    return Route("/slack/events", slack_events, methods=["POST"], include_in_schema=False)


async def _body(request: Request) -> bytes | None:
    """None: larger than anything that Slack sends."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _refusal(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": error}, status)
