"""Handles Details: opens the modal from the database within the 3 s that a trigger lives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from app.concurrency.timeouts import run_until
from app.flow.ports.database import DatabaseUnavailable
from app.flow.read_models import GateView
from app.gate.ids import GateId
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.handlers.save_errors import UNCONFIRMED
from app.slack.modals.details import details_modal
from app.slack.payload import ack_deadline
from app.slack.replies import Replies
from app.slack.text.denials import repeat_after
from app.slack.users.accounts import non_member_text
from app.slack.users.directory import Directory
from app.workers.wakeups import Wakeups


class StoredEvidence(Protocol):
    """Stored evidence. Does not call AWS."""

    async def get(self, gate: GateId) -> GateView | None: ...

    async def request_refresh(self, gate: GateId, *, now: datetime) -> None:
        """Makes a waiting gate's evidence due now."""
        ...


class DetailsHandler:
    """Handles the card's Details button."""

    def __init__(
        self,
        *,
        evidence: StoredEvidence,
        directory: Directory,
        replies: Replies,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._evidence = evidence
        self._directory = directory
        self._replies = replies
        self._wakeups = wakeups
        self._clock = clock

    async def details(
        self, ack: Callable[..., Awaitable[Any]], body: Mapping[str, Any], action: Mapping[str, Any]
    ) -> None:
        """`details` on a card. Decides nothing, so it acks first."""
        await ack()
        self._replies.background.run(self._open(body, action.get("value")), what="details")

    async def _open(self, body: Mapping[str, Any], value: object) -> None:
        until = ack_deadline()
        profile, found = await asyncio.gather(self._directory.profile(body), self._find(value, until=until))
        texts = Texts.of(profile.locale)
        if denial := non_member_text(profile.person, texts=texts):
            self._replies.answer(body, denial, repeat_after=repeat_after(None, profile.person))
        elif isinstance(found, UNCONFIRMED):
            self._replies.answer(body, texts("deploys.record_away"))
        elif found is None:
            self._replies.answer(body, texts("refused.no_such_gate"))
        else:
            modal = details_modal(found, texts=texts)
            self._replies.open_modal(body, modal, not_opened=texts("refused.form_not_opened"))
            await self._evidence.request_refresh(found.id, now=self._clock())
            self._wakeups.notify("evidence_requested")

    async def _find(
        self, value: object, *, until: float
    ) -> GateView | DatabaseUnavailable | TimeoutError | None:
        try:
            return await run_until(until, self._evidence.get(ActionValue.parse(value).gate))
        except InvalidActionValue:
            return None
        except UNCONFIRMED as exc:
            return exc
