"""Ephemeral replies, sent after the ack; drained at shutdown."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from app.flow.ports.database import DatabaseUnavailable
from app.slack.blocks import Block
from app.slack.cards.secondary_buttons import reply_blocks
from app.slack.client import CALL_TIMEOUT_SECONDS, SLACK_CALL_ERRORS, error_code_of
from app.workers.foreground import ForegroundTracker

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]

ACK_TIMEOUT_SECONDS: Final = 2.5
"""Slack waits 3 s for the ack. Work not committed by then is rolled back, and the user gets an error."""

REPLY_TIMEOUT_SECONDS: Final = 16

OPEN_MODAL_TIMEOUT_SECONDS: Final = 5
"""How long views.open may take. The trigger expires after 3 s."""


class Replies:
    """Tasks after the ack: best effort, and awaited at shutdown."""

    def __init__(self, client: AsyncWebClient, *, foreground: ForegroundTracker) -> None:
        self._client = client
        self._silent_until: dict[tuple[str, str, str], float] = {}
        self._foreground = foreground
        self.at_home: Callable[[Body, str, list[Block] | None], None] | None = None
        """Shows replies to actions in App Home; None: they are sent as messages."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners = 0
        self._idle = asyncio.Event()

    def answer(
        self, body: Body, text: str, blocks: list[Block] | None = None, *, repeat_after: float = 0
    ) -> None:
        """Replies to the sender of `body` only, and not again with the same text within `repeat_after` seconds."""
        if repeat_after and self._was_sent(body, text, repeat_after):
            return
        if self.at_home is not None and is_home(body):
            self.at_home(body, text, blocks)
        else:
            self.later(self._answer(body, text, blocks), what="answer")

    def _was_sent(self, body: Body, text: str, repeat_after: float) -> bool:
        now = asyncio.get_running_loop().time()
        action = str((body.get("actions") or [{}])[0].get("action_id", ""))
        key = (user_of(body), action, text)
        self._silent_until = {one: until for one, until in self._silent_until.items() if until > now}
        if key in self._silent_until:
            return True
        self._silent_until[key] = now + repeat_after
        return False

    def write_to(self, user: str, text: str, buttons: Sequence[Block] = ()) -> None:
        """Sends a direct message, if there is no channel for an ephemeral one."""
        self.later(
            self._client.chat_postMessage(channel=user, text=text, blocks=reply_blocks(text, buttons)),
            what="message",
        )

    def replace(self, body: Body, *, text: str, blocks: list[Block]) -> None:
        """Replaces the ephemeral message; if it is too old, sends a new one."""
        self.later(self._replace(body, text, blocks), what="turn")

    def open_modal(self, body: Body, view: Block, *, not_opened: str) -> None:
        """Opens a modal with the trigger of `body`, which lives 3 s and opens one modal. On failure replies with
        `not_opened`."""
        self.later(self.open_modal_now(body, view, not_opened=not_opened), what="views.open")

    async def open_modal_now(self, body: Body, view: Block, *, not_opened: str) -> None:
        """The same, in the caller's own task."""
        trigger = str(body.get("trigger_id") or "")
        try:
            async with asyncio.timeout(OPEN_MODAL_TIMEOUT_SECONDS):
                await self._client.views_open(trigger_id=trigger, view=view)
        except SLACK_CALL_ERRORS as exc:
            log.warning("form_not_opened", problem=error_code_of(exc), user=user_of(body))
            self.answer(body, not_opened)

    def later(self, work: Awaitable[Any], *, what: str) -> None:
        """Runs `work` in a task; failures are logged."""
        task = asyncio.create_task(self._logged(work, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Counts a running listener, because closing the socket does not wait for them."""
        self._listeners += 1
        try:
            with self._foreground.request():
                yield
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                self._idle.set()

    async def wait_until_idle(self) -> None:
        """Waits until no listener runs."""
        self._idle.clear()
        if self._listeners:
            await self._idle.wait()

    async def drain(self) -> None:
        """Waits for all tasks, and for those that they start."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def cancel(self) -> set[asyncio.Task[None]]:
        """Cancels and returns all tasks; they may take a moment to end."""
        for task in self._tasks:
            task.cancel()
        return set(self._tasks)

    async def _answer(self, body: Body, text: str, blocks: list[Block] | None = None) -> None:
        channel, user = channel_of(body), user_of(body)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                if channel:
                    await self._client.chat_postEphemeral(
                        channel=channel, user=user, text=text, blocks=blocks
                    )
                else:
                    await self._client.chat_postMessage(channel=user, text=text, blocks=blocks)
        except SLACK_CALL_ERRORS as exc:
            # We are not in that channel, or rate limited: use the response URL.
            if not await self._respond(body, text=text, blocks=blocks, replace=False):
                raise
            log.info("answered_by_response_url", problem=error_code_of(exc))

    async def _replace(self, body: Body, text: str, blocks: list[Block]) -> None:
        if not await self._respond(body, text=text, blocks=blocks, replace=True):
            await self._answer(body, text, blocks)

    async def _respond(self, body: Body, *, text: str, blocks: list[Block] | None, replace: bool) -> bool:
        """Replies by the response URL, which works five times within 30 minutes."""
        url = body.get("response_url")
        if not url:
            return False
        webhook = AsyncWebhookClient(
            str(url), timeout=CALL_TIMEOUT_SECONDS, session=self._client.session, retry_handlers=[]
        )
        said = {"text": text, "response_type": "ephemeral", "replace_original": replace}
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                answer = await webhook.send_dict(said | ({"blocks": blocks} if blocks else {}))
        except SLACK_CALL_ERRORS as exc:
            log.warning("response_url_failed", problem=error_code_of(exc))
            return False
        return answer.status_code == 200 and '"ok":false' not in str(answer.body).replace(" ", "")

    async def _logged(self, work: Awaitable[Any], what: str) -> None:
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_SECONDS):
                await work
        except SLACK_CALL_ERRORS as exc:
            log.warning("slack_reply_failed", what=what, problem=error_code_of(exc))
        except DatabaseUnavailable as exc:
            log.warning("slack_reply_without_database", what=what, problem=str(exc))
        except Exception:
            log.exception("slack_reply_failed", what=what)


def ack_deadline() -> float:
    """The event-loop time by which a listener must be ready to ack."""
    return asyncio.get_running_loop().time() + ACK_TIMEOUT_SECONDS


def user_of(body: Body) -> str:
    """The sender, from Slack's signed payload."""
    event = body.get("event") or {}
    return str((body.get("user") or {}).get("id") or body.get("user_id") or event.get("user") or "")


def is_home(body: Body) -> bool:
    """Whether the action came from App Home, which has no channel."""
    return (body.get("view") or {}).get("type") == "home"


def channel_of(body: Body) -> str | None:
    """The channel it was sent from, if any."""
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
    return str(channel) if channel else body.get("channel_id")
