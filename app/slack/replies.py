"""Replies to the user who acted: ephemeral or direct messages, and modals. Sent after the ack."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from app.slack.background import BackgroundTasks
from app.slack.blocks import Block
from app.slack.cards.buttons import reply_blocks
from app.slack.client import CALL_TIMEOUT_SECONDS, SLACK_CALL_ERRORS, error_code_of
from app.slack.payload import Body, channel_of, is_home, user_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenModal:
    """A modal as Slack shows it. `hash` changes with each update; None: not known."""

    id: str
    hash: str | None


OPEN_MODAL_TIMEOUT_SECONDS: Final = 5
"""How long views.open may take. The trigger expires after 3 s."""


class Replies:
    """Sends replies in background tasks, best effort."""

    def __init__(self, client: AsyncWebClient, *, background: BackgroundTasks) -> None:
        self._client = client
        self.background = background
        self._silent_until: dict[tuple[str, str, str], float] = {}
        self.at_home: Callable[[Body, str, list[Block] | None], None] | None = None
        """Shows replies to actions in App Home; None: they are sent as messages."""

    def answer(
        self, body: Body, text: str, blocks: list[Block] | None = None, *, repeat_after: float = 0
    ) -> None:
        """Replies to the sender of `body` only, and not again with the same text within `repeat_after` seconds."""
        if repeat_after and self._was_sent(body, text, repeat_after):
            return
        if self.at_home is not None and is_home(body):
            self.at_home(body, text, blocks)
        else:
            self.background.run(self._answer(body, text, blocks), what="answer")

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
        self.background.run(
            self._client.chat_postMessage(channel=user, text=text, blocks=reply_blocks(text, buttons)),
            what="message",
        )

    def replace(self, body: Body, *, text: str, blocks: list[Block]) -> None:
        """Replaces the ephemeral message; if it is too old, sends a new one."""
        self.background.run(self._replace(body, text, blocks), what="replacement")

    def open_modal(self, body: Body, view: Block, *, not_opened: str) -> None:
        """Opens a modal with the trigger of `body`, which lives 3 s and opens one modal. On failure replies with
        `not_opened`."""
        self.background.run(self.open_modal_now(body, view, not_opened=not_opened), what="views.open")

    async def open_modal_now(self, body: Body, view: Block, *, not_opened: str) -> OpenModal | None:
        """The same, in the caller's own task; None if it was not opened."""
        trigger = str(body.get("trigger_id") or "")
        try:
            async with asyncio.timeout(OPEN_MODAL_TIMEOUT_SECONDS):
                answer = await self._client.views_open(trigger_id=trigger, view=view)
        except SLACK_CALL_ERRORS as exc:
            log.warning("form_not_opened", problem=error_code_of(exc), user=user_of(body))
            self.answer(body, not_opened)
            return None
        opened = answer.get("view") or {}
        return OpenModal(id=str(opened.get("id") or ""), hash=opened.get("hash"))

    async def update_modal(self, opened: OpenModal, view: Block) -> None:
        """Replaces a modal's content, unless it was closed, submitted or updated meanwhile.

        Slack keeps what was typed into an input whose block id stays.
        """
        try:
            async with asyncio.timeout(OPEN_MODAL_TIMEOUT_SECONDS):
                await self._client.views_update(view_id=opened.id, hash=opened.hash, view=view)
        except SLACK_CALL_ERRORS as exc:
            log.info("modal_not_updated", problem=error_code_of(exc))

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
