"""Answers that only one person sees, sent after the ack so that they never delay it; drained at stop."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.slack.blocks import Block

log = structlog.get_logger(__name__)

FAILURES: Final = (SlackApiError, ClientError, TimeoutError, OSError)


class Replies:
    """Work for after the ack: best effort, counted, waited for when the process stops."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._under_way: set[asyncio.Task[None]] = set()
        self._listeners = 0
        self._quiet = asyncio.Event()

    def whisper(
        self, *, channel: str | None, user: str, text: str, blocks: list[Block] | None = None
    ) -> None:
        """An ephemeral message to `user`; where the press came from no channel, a direct one."""
        if channel:
            said = self._client.chat_postEphemeral(channel=channel, user=user, text=text, blocks=blocks)
        else:
            said = self._client.chat_postMessage(channel=user, text=text, blocks=blocks)
        self.later(said, what="whisper")

    def open_modal(self, *, trigger: str, view: Block) -> None:
        """A trigger lives 3 s and opens one modal."""
        self.later(self._client.views_open(trigger_id=trigger, view=view), what="views.open")

    def later(self, work: Awaitable[Any], *, what: str) -> None:
        """Runs `work` after the ack; a failure is logged and harms nothing else."""
        task = asyncio.create_task(self._guarded(work, what))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Counts a listener as under way: closing the socket does not wait for them, so stopping must."""
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                self._quiet.set()

    async def quiet(self, *, seconds: float) -> None:
        """Waits until no listener runs."""
        self._quiet.clear()
        if self._listeners:
            try:
                await asyncio.wait_for(self._quiet.wait(), seconds)
            except TimeoutError:
                log.warning("listeners_cut_off", listeners=self._listeners)

    async def drain(self, *, seconds: float) -> None:
        """Waits for what is under way."""
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=seconds)

    async def _guarded(self, work: Awaitable[Any], what: str) -> None:
        try:
            async with asyncio.timeout(8):
                await work
        except SlackApiError as trouble:
            log.warning("slack_reply_failed", what=what, problem=trouble.response.get("error"))
        except FAILURES as trouble:
            log.warning("slack_reply_failed", what=what, problem=type(trouble).__name__)
        except Exception:
            log.exception("slack_reply_failed", what=what)
