"""Answers that only one person sees, sent after the ack so that they never delay it; drained at stop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from app.flow.ports.database import DatabaseUnavailable
from app.slack.blocks import Block
from app.slack.cards.secondary_buttons import answer_blocks
from app.slack.client import CALL_TIMEOUT_SECONDS, SLACK_CALL_ERRORS, error_code_of
from app.workers.foreground import ForegroundTracker

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]

ACK_TIMEOUT_SECONDS: Final = 2.5
"""Slack waits 3 s for the ack; what is not committed by then is rolled back, and the presser told."""

REPLY_TIMEOUT_SECONDS: Final = 16
DENIAL_REPEAT_SECONDS: Final = 60

OPEN_MODAL_TIMEOUT_SECONDS: Final = 5
"""How long views.open may take. After 3 s the trigger has expired, and Slack opens nothing any more."""


class Replies:
    """Work for after the ack: best effort, counted, waited for when the process stops."""

    def __init__(self, client: AsyncWebClient, *, foreground: ForegroundTracker) -> None:
        self._client = client
        self._refused: dict[tuple[str, str, str], float] = {}
        self._foreground = foreground
        self.at_home: Callable[[Body, str, list[Block] | None], None] | None = None
        """Takes the answers to presses in App Home, which shows them itself; None: they go out as messages."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners = 0
        self._idle = asyncio.Event()

    def answer(self, body: Body, text: str, blocks: list[Block] | None = None) -> None:
        """Says something to whoever sent `body` (a press or a command), and to nobody else."""
        if self.at_home is not None and is_home(body):
            self.at_home(body, text, blocks)
        else:
            self.later(self._answer(body, text, blocks), what="answer")

    def refuse(self, body: Body, text: str, blocks: list[Block] | None = None) -> None:
        """The same for a refusal that pressing again does not change: told once a minute."""
        now = asyncio.get_running_loop().time()
        action = str((body.get("actions") or [{}])[0].get("action_id", ""))
        key = (user_of(body), action, text)
        self._refused = {one: at for one, at in self._refused.items() if now - at < DENIAL_REPEAT_SECONDS}
        if key not in self._refused:
            self._refused[key] = now
            self.answer(body, text, blocks)

    def write_to(self, user: str, text: str, buttons: Sequence[Block] = ()) -> None:
        """A message to one person, where there is no channel to whisper in."""
        self.later(
            self._client.chat_postMessage(channel=user, text=text, blocks=answer_blocks(text, buttons)),
            what="message",
        )

    def replace(self, body: Body, *, text: str, blocks: list[Block]) -> None:
        """Puts something else where the pressed whisper stands; where it is too old for that, whispers anew."""
        self.later(self._replace(body, text, blocks), what="turn")

    def open_modal(self, body: Body, view: Block, *, not_opened: str) -> None:
        """Opens a form with the trigger of `body`, which lives 3 s and opens one form. If Slack does not open it, the
        user is told `not_opened`."""
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
        """Runs `work` after the ack; a failure is logged and harms nothing else."""
        task = asyncio.create_task(self._guarded(work, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Counts a listener as under way: closing the socket does not wait for them, so stopping must."""
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
        """Waits for what is under way, and for what that begins in its turn."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def cancel(self) -> set[asyncio.Task[None]]:
        """Cancels what is under way, and gives it; a cancelled task may take a moment to end."""
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
            # We are not in that channel, or asked too often: the press itself brought a way to answer.
            if not await self._respond(body, text=text, blocks=blocks, replace=False):
                raise
            log.info("answered_by_response_url", problem=error_code_of(exc))

    async def _replace(self, body: Body, text: str, blocks: list[Block]) -> None:
        if not await self._respond(body, text=text, blocks=blocks, replace=True):
            await self._answer(body, text, blocks)

    async def _respond(self, body: Body, *, text: str, blocks: list[Block] | None, replace: bool) -> bool:
        """Through the press's own address, which works five times within half an hour."""
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

    async def _guarded(self, work: Awaitable[Any], what: str) -> None:
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
    """The moment of the loop's time by which a listener must have what it needs for its ack."""
    return asyncio.get_running_loop().time() + ACK_TIMEOUT_SECONDS


def user_of(body: Body) -> str:
    """Who sent it, as Slack's signed payload says."""
    event = body.get("event") or {}
    return str((body.get("user") or {}).get("id") or body.get("user_id") or event.get("user") or "")


def is_home(body: Body) -> bool:
    """Whether it was pressed in App Home: then there is no channel to answer in."""
    return (body.get("view") or {}).get("type") == "home"


def channel_of(body: Body) -> str | None:
    """Where it was sent from; None: from no channel."""
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
    return str(channel) if channel else body.get("channel_id")
