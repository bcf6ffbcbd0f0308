"""Bolt's error handler: what a listener raised, and requests without a listener. All are acknowledged."""

from typing import Final

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from app.i18n.catalog import Texts
from app.observability.logging import error_id
from app.slack.modals.reason_form import denial_notice
from app.slack.payload import Body, user_of
from app.slack.replies import Replies
from app.slack.users.directory import Directory

log = structlog.get_logger(__name__)

SUGGESTIONS: Final = frozenset({"block_suggestion", "dialog_suggestion"})
SILENT: Final = frozenset({"view_closed", "dialog_cancellation", "event_callback", "app_rate_limited"})
MAX_LOGGED_CHARS: Final = 60


class ErrorHandler:
    """Slack repeats events that are answered with an error, finally disables them, and shows people an error."""

    def __init__(self, *, directory: Directory, replies: Replies) -> None:
        self._directory = directory
        self._replies = replies

    async def handle(
        self, error: Exception, body: Body, request: AsyncBoltRequest, ack: AsyncAck
    ) -> BoltResponse | None:
        """The acknowledgement; None keeps Bolt's own response to an empty HTTP request."""
        if not isinstance(error, BoltUnhandledRequestError):
            return self._failed(error, body, ack)
        if not body and request.mode == "http":
            return None
        return await self._unhandled(body)

    def _failed(self, error: Exception, body: Body, ack: AsyncAck) -> BoltResponse:
        """Bolt drops the ack of a listener that raises, even one already given."""
        short = error_id()
        log.error("listener_failed", error_id=short, kind=kind_of(body), exc_info=error)
        if user_of(body):
            self._replies.background.run(
                self._say(body, "refused.unknown_error", id=short), what="error reply"
            )
        return ack.response or BoltResponse(status=200)

    async def _unhandled(self, body: Body) -> BoltResponse:
        kind = kind_of(body)
        log.info("slack_request_unhandled", kind=kind)
        if kind in SUGGESTIONS:
            return BoltResponse(status=200, body={"options": []})
        if kind in SILENT or not user_of(body):
            return BoltResponse(status=200)
        if kind == "command":
            text = (await self._texts(body))("refused.not_ours")
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})
        # Cards and forms outlive releases: a button of an older release still gets an answer.
        if kind == "view_submission" and body.get("view"):
            texts = await self._texts(body)
            title, close = texts("reject.title"), texts("reject.close")
            notice = denial_notice(texts("refused.old_form"), title=title, close=close)
            return BoltResponse(status=200, body={"response_action": "update", "view": notice})
        action = next(iter(body.get("actions") or ()), None)
        if action is None:
            self._replies.background.run(self._say(body, "refused.not_ours"), what="answer")
        elif "url" not in action:  # Slack opens the link of a link button
            self._replies.background.run(self._say(body, "refused.old_button"), what="answer")
        return BoltResponse(status=200)

    async def _say(self, body: Body, key: str, **values: str) -> None:
        self._replies.answer(body, (await self._texts(body))(key, **values))

    async def _texts(self, body: Body) -> Texts:
        return Texts.of((await self._directory.profile(body)).locale)


def kind_of(body: Body) -> str:
    """The payload's type, for the log."""
    return str(body.get("type") or ("command" if body.get("command") else "unknown"))[:MAX_LOGGED_CHARS]
