"""Approve and Reject, pressed. Committed first, then acked, then answered."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from app.flow.decide_gate import Counted, NoSuchGate, Press, Refused, decide_gate
from app.flow.ports import GateRecord, RecordAway, Rules
from app.flow.views import GateView
from app.gate.ids import GateId
from app.gate.policy import Choice
from app.gate.states import Awaiting
from app.i18n.catalog import Texts
from app.log import error_id
from app.metrics import PRESSES
from app.slack.blocks import typed
from app.slack.directory import Directory, Profile
from app.slack.reject_form import REASON, reject_form, reject_notice
from app.slack.replies import Replies
from app.slack.ticket import NotATicket, Ticket
from app.slack.words import who_was_first, why_not

log = structlog.get_logger(__name__)

Ack = Callable[..., Awaitable[Any]]
Body = Mapping[str, Any]

DECIDE_SECONDS: Final = 2.5
"""Slack waits 3 s for the ack; what is not committed by then is rolled back, and the presser told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """The answer to a press, and whether it was counted."""

    text: str
    counted: Counted | None = None


class Presses:
    """The doors of the card's two buttons and of the reject form."""

    def __init__(
        self,
        *,
        record: GateRecord,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        decided: Callable[[GateId], None],
        stale: Callable[[GateId], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._record = record
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._decided = decided
        self._stale = stale
        self._clock = clock

    async def approve(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """`approve` on a card."""
        profile = await self._directory.profile(body["user"])
        said = await self._count(action.get("value"), profile, Choice.APPROVE, "")
        await ack()
        if said.text:
            self._replies.whisper(channel=channel_of(body), user=body["user"]["id"], text=said.text)

    async def reject(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """`reject` on a card: asks why. Nothing is decided yet, so the ack need not wait."""
        await ack()
        self._replies.later(self._ask_why(body, action.get("value")), what="reject form")

    async def reject_reason(self, ack: Ack, body: Body, view: Mapping[str, Any]) -> None:
        """The reject form, submitted."""
        profile = await self._directory.profile(body["user"])
        texts = Texts.of(profile.locale)
        reason = typed(view.get("state", {}), REASON)
        if not reason.strip():
            await ack(response_action="errors", errors={REASON: texts("reject.reason_missing")})
            return
        said = await self._count(view.get("private_metadata"), profile, Choice.REJECT, reason)
        if said.counted is not None:
            await ack()
        elif said.text == texts("refused.nothing_recorded"):
            # The form stays open, so that what was typed is not lost.
            await ack(response_action="errors", errors={REASON: said.text})
        else:
            await ack(response_action="update", view=reject_notice(said.text, texts=texts))

    async def _count(self, value: object, profile: Profile, choice: Choice, reason: str) -> Said:
        """One press through the flow; whatever goes wrong becomes a sentence, and nothing half-done."""
        texts = Texts.of(profile.locale)
        try:
            ticket = Ticket.parse(value)
        except NotATicket:
            return self._refused(Refused(NoSuchGate(), None), texts)
        press = Press(
            gate=ticket.gate,
            edition=ticket.edition,
            person=profile.person,
            choice=choice,
            reason=reason.replace("\x00", ""),
        )
        try:
            async with asyncio.timeout(DECIDE_SECONDS):
                counted = await decide_gate(press, record=self._record, rules=self._rules, now=self._clock())
        except Refused as refused:
            return self._refused(refused, texts)
        except (RecordAway, TimeoutError) as trouble:
            log.error("press_not_recorded", problem=type(trouble).__name__, user=profile.person.user)
            PRESSES.labels(outcome="record_away").inc()
            return Said(text=texts("refused.nothing_recorded"))
        except Exception:
            short = error_id()
            log.exception("press_failed", error_id=short, user=profile.person.user)
            PRESSES.labels(outcome="failed").inc()
            return Said(text=texts("refused.unknown_error", id=short))
        PRESSES.labels(outcome="counted").inc()
        self._decided(ticket.gate)
        return Said(text=_thanks(counted, texts), counted=counted)

    def _refused(self, refused: Refused, texts: Texts) -> Said:
        view = refused.view
        why = type(refused.refusal).__name__
        log.info("press_refused", why=why, gate=str(view.id) if view else None)
        PRESSES.labels(outcome=why).inc()
        if view is not None:
            # The card that was pressed may show less than the record knows: draw it again.
            self._replies.later(self._stale(view.id), what="redraw")
        approvers = _approvers(view, self._rules)
        return Said(text=why_not(refused, texts=texts, approvers=approvers))

    async def _ask_why(self, body: Body, value: object) -> None:
        profile = await self._directory.profile(body["user"])
        texts = Texts.of(profile.locale)
        try:
            ticket = Ticket.parse(value)
        except NotATicket:
            self._say(body, why_not(Refused(NoSuchGate(), None), texts=texts, approvers=()))
            return
        try:
            view = await self._record.get(ticket.gate)
        except RecordAway:
            self._say(body, texts("refused.nothing_recorded"))
            return
        if view is None:
            self._say(body, why_not(Refused(NoSuchGate(), None), texts=texts, approvers=()))
        elif not isinstance(view.gate, Awaiting):
            self._say(body, who_was_first(view, texts=texts))
            await self._stale(view.id)
        else:
            self._replies.open_modal(
                trigger=str(body["trigger_id"]), view=reject_form(ticket, view=view, texts=texts)
            )

    def _say(self, body: Body, text: str) -> None:
        self._replies.whisper(channel=channel_of(body), user=body["user"]["id"], text=text)


def _thanks(counted: Counted, texts: Texts) -> str:
    """What the presser hears beyond the card itself: a decision shows there and needs no words."""
    return "" if counted.decision else texts.plural("press.counted", count=counted.owed)


def _approvers(view: GateView | None, rules: Rules) -> tuple[str, ...]:
    domain = rules.domain(view.switch.domain) if view and view.switch.domain else None
    return domain.policy.approvers if domain else ()


def channel_of(body: Body) -> str | None:
    """Where something was pressed; None: in a modal or a Home tab."""
    channel = body.get("channel") or {}
    id_: str | None = channel.get("id") or (body.get("container") or {}).get("channel_id")
    return id_
