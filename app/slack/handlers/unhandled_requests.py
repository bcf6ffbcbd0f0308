"""Requests without a listener: acknowledged, and answered if a person waits."""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from app.i18n.catalog import Texts
from app.slack.payload import user_of
from app.slack.replies import Replies
from app.slack.users.directory import Directory

log = structlog.get_logger(__name__)

SUGGESTIONS: Final = frozenset({"block_suggestion", "dialog_suggestion"})
SILENT: Final = frozenset({"view_closed", "dialog_cancellation", "event_callback", "app_rate_limited"})
MAX_LOGGED_CHARS: Final = 60


class UnhandledRequests:
    """Bolt's error handler. Slack repeats requests answered with 404, and shows the user an error."""

    def __init__(self, *, directory: Directory, replies: Replies) -> None:
        self._directory = directory
        self._replies = replies

    async def handle(
        self, error: Exception, body: Mapping[str, Any], request: AsyncBoltRequest
    ) -> BoltResponse | None:
        """The acknowledgement; None keeps Bolt's own response to an empty HTTP request."""
        if not isinstance(error, BoltUnhandledRequestError):
            log.error("slack_request_failed", exc_info=error)
            return BoltResponse(status=200)
        if not body and request.mode == "http":
            return None
        kind = str(body.get("type") or ("command" if body.get("command") else "unknown"))
        log.info("slack_request_unhandled", kind=kind[:MAX_LOGGED_CHARS])
        if kind in SUGGESTIONS:
            return BoltResponse(status=200, body={"options": []})
        if kind in SILENT or not user_of(body):
            return BoltResponse(status=200)
        return await self._answered(kind, body)

    async def _answered(self, kind: str, body: Mapping[str, Any]) -> BoltResponse:
        text = Texts.of((await self._directory.profile(body)).locale)("refused.not_ours")
        if kind == "command":
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})
        self._replies.answer(body, text)
        return BoltResponse(status=200)
