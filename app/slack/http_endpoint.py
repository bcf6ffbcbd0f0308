"""`POST /slack/events`: HTTP mode's endpoint. Verifies the signature over the raw body before parsing."""

from typing import Final
from urllib.parse import parse_qs

import structlog
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.slack.signature_check import SignatureCheck
from app.slack.socket import Listening

log = structlog.get_logger(__name__)

MAX_SSL_CHECK_BYTES: Final = 1024
"""`ssl_check=1` and the deprecated verification token; the only unsigned request of Slack."""


def events_route(bolt: AsyncApp, *, signatures: SignatureCheck, listening: Listening) -> Route:
    """The route. Verifies first, because Bolt parses before it verifies.

    A plain Starlette route: Bolt reads the payload, and FastAPI's overhead exceeds Bolt's.
    """

    async def slack_events(request: Request) -> Response:
        body = await request.body()
        if not signatures.admits(body, request.headers):
            if _is_ssl_check(body):
                return Response()
            raise HTTPException(401, "The request is not signed by Slack, or its signature is too old.")
        try:
            asked = to_async_bolt_request(request, body)
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise HTTPException(400, "The body is not one that Slack sends.") from None
        try:
            with listening():
                return to_starlette_response(await bolt.async_dispatch(asked))
        except Exception:
            # A repeat by Slack would fail again.
            log.exception("slack_request_failed")
            return Response()

    return Route("/slack/events", slack_events, methods=["POST"], include_in_schema=False)


def _is_ssl_check(body: bytes) -> bool:
    """Slack calls a slash command's URL to check its certificate."""
    if len(body) > MAX_SSL_CHECK_BYTES:
        return False
    return parse_qs(body.decode("latin-1")).get("ssl_check") == ["1"]
