"""Handles Approve and Reject: commit, ack, reply."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from app.concurrency.timeouts import run_until
from app.flow.approval.approval_context import NoSuchGate, rejections_after
from app.flow.approval.cast_vote import RequestDenied, VoteAccepted, VoteRequest, cast_vote, check_vote
from app.flow.approval.live_traffic import LiveTraffic
from app.flow.approval.rule_status import rule_status_of
from app.flow.free_text import has_content
from app.flow.ports.database import DatabaseUnavailable, GateRecord
from app.flow.ports.rules import Rules
from app.flow.read_models import CardPlace, GateView
from app.gate.ids import GateId
from app.gate.rules.denials import Denial, HeldBack, ReasonMissing, RulesChanged
from app.gate.rules.policy import ReasonFor
from app.gate.rules.violations import Violation
from app.gate.state_machine import AlreadyDecided, CardIsOld, NotVerified, TooLate
from app.gate.votes import Choice
from app.i18n.catalog import Texts
from app.observability.logging import error_id
from app.observability.metrics import INTERACTIONS
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.blocks import Block
from app.slack.cards.secondary_buttons import break_glass_button, reply_blocks, retract_vote_button
from app.slack.handlers.save_errors import UNCONFIRMED, save_error_text
from app.slack.modals.approve import approve_form
from app.slack.modals.reject import REASON, reject_form, reject_notice
from app.slack.publishers.card import CARD
from app.slack.replies import Replies, ack_deadline, channel_of
from app.slack.request_key import request_key
from app.slack.text.denials import denial_text, repeat_after, vote_accepted_text
from app.slack.text.user_input import form_text
from app.slack.users.accounts import Profile
from app.slack.users.directory import Directory
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)

CARD_BLOCK: Final = re.compile("(decide|course)\\.[0-9]+")
"""Block ids of a card's buttons (`decision_buttons`, `progress_buttons`)."""

OUTDATED_CARD_DENIALS: Final = (AlreadyDecided, CardIsOld, TooLate, NotVerified, HeldBack, RulesChanged)
"""Denials after which the card may be outdated, and is redrawn. Other denials cause no Slack call."""

Ack = Callable[..., Awaitable[Any]]
Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteReply:
    """The reply to a vote, and the buttons under it. `retryable`: a retry may succeed.

    `reason_missing`: the vote would count with a reason; `view`: the gate of a denied vote; `denial`: why it was
    denied.
    """

    text: str
    buttons: tuple[Block, ...] = ()
    accepted: VoteAccepted | None = None
    retryable: bool = False
    reason_missing: bool = False
    view: GateView | None = None
    denial: Denial | None = None


class ShownCards(Protocol):
    """The cards that people act on."""

    async def redraw(self, gate: GateId, *, now: datetime) -> None:
        """Has the card published again."""

    async def met(self, gate: GateId, *, place: CardPlace, now: datetime) -> bool:
        """Saves that a card of this gate stands at `place`; False: it is a copy."""


class VoteHandler:
    """Handles Approve, Reject and their forms."""

    def __init__(
        self,
        *,
        record: GateRecord,
        traffic: LiveTraffic,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        cards: ShownCards,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._record = record
        self._traffic = traffic
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._cards = cards
        self._wakeups = wakeups
        self._clock = clock

    async def approve(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """`approve` on a card, or in the list of `/deploys`."""
        until = ack_deadline()
        profile = await self._directory.profile(body)
        reply = await self.cast(
            action.get("value"), profile, Choice.APPROVE, "", until=until, request=request_key(body)
        )
        await ack()
        if reply.reason_missing and reply.view is not None:
            action_value = ActionValue.parse(action.get("value"))  # a valid value: it was parsed before
            form = approve_form(action_value, view=reply.view, texts=Texts.of(profile.locale))
            self._replies.open_modal(
                body, form, not_opened=Texts.of(profile.locale)("refused.form_not_opened")
            )
        else:
            self._answer(body, reply, profile, Choice.APPROVE, on_card=_place(body) is not None)
        self.record_card_place(body, action)

    async def approve_reason(self, ack: Ack, body: Body, view: Mapping[str, Any]) -> None:
        """Handles the submitted approve form."""
        await self._submitted(ack, body, view, Choice.APPROVE)

    async def reject(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """`reject`: opens the form. Decides nothing, so it acks first."""
        await ack()
        self._replies.later(self._ask_why(body, action.get("value")), what="reject form")
        self.record_card_place(body, action)

    async def reject_reason(self, ack: Ack, body: Body, view: Mapping[str, Any]) -> None:
        """Handles the submitted reject form."""
        await self._submitted(ack, body, view, Choice.REJECT)

    async def _submitted(self, ack: Ack, body: Body, view: Mapping[str, Any], choice: Choice) -> None:
        until = ack_deadline()
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        typed_in = form_text(view.get("state", {}), REASON)
        reason = typed_in if has_content(typed_in) else ""
        reply = await self.cast(
            view.get("private_metadata"), profile, choice, reason, until=until, request=request_key(body)
        )
        if reply.accepted is not None:
            await ack()
            self._answer(body, reply, profile, choice, on_card=True)
        elif reply.reason_missing:
            await ack(response_action="errors", errors={REASON: texts("reject.reason_missing")})
        elif reply.retryable:
            # Keep the form open, so that the typed text is not lost.
            await ack(response_action="errors", errors={REASON: reply.text})
        else:
            title = texts("approve.title") if choice is Choice.APPROVE else None
            await ack(response_action="update", view=reject_notice(reply.text, texts=texts, title=title))

    def _answer(
        self, body: Body, reply: VoteReply, profile: Profile, choice: Choice, *, on_card: bool
    ) -> None:
        text = reply.text
        if reply.accepted is not None:
            text = vote_accepted_text(
                reply.accepted, choice=choice, texts=Texts.of(profile.locale), on_card=on_card
            )
        if text:
            blocks = reply_blocks(text, reply.buttons)
            self._replies.answer(body, text, blocks, repeat_after=repeat_after(reply.denial, profile.person))

    async def cast(
        self,
        value: object,
        profile: Profile,
        choice: Choice,
        reason: str,
        *,
        until: float,
        request: str | None = None,
    ) -> VoteReply:
        """Casts one vote. Every failure becomes a reply, and saves nothing."""
        texts = Texts.of(profile.locale)
        try:
            vote = replace(_vote_request(value, profile, choice, reason), request=request)
            deciding = cast_vote(
                vote, record=self._record, rules=self._rules, traffic=self._traffic, now=self._clock()
            )
            accepted = await run_until(until, deciding)
        except Exception as exc:
            return self._not_counted(exc, profile, texts)
        INTERACTIONS.labels(outcome="counted").inc()
        self._wakeups.notify("gate_decided")
        return VoteReply(text="", accepted=accepted, buttons=self._next_buttons(vote, accepted, texts))

    async def _ask_why(self, body: Body, value: object) -> None:
        """Opens the reject form, unless the vote would be denied anyway."""
        until = ack_deadline()
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        try:
            vote = _vote_request(value, profile, Choice.REJECT, "")
            asking = check_vote(vote, record=self._record, rules=self._rules, now=self._clock())
            view = await run_until(until, asking)
        except UNCONFIRMED as exc:
            log.warning("form_not_opened", problem=type(exc).__name__, user=profile.person.user)
            # Nothing was to be saved, so the outcome is not in doubt.
            self._replies.answer(body, texts("refused.nothing_recorded"))
            return
        except Exception as exc:
            self._answer(body, self._not_counted(exc, profile, texts), profile, Choice.REJECT, on_card=True)
            return
        action_value = ActionValue(gate=vote.gate, prompt_version=vote.prompt_version)
        form = reject_form(
            action_value,
            view=view,
            texts=texts,
            optional=self._needs_no_reason(view),
            more=rejections_after(view, person=vote.person, rules=self._rules, now=self._clock()),
        )
        self._replies.open_modal(body, form, not_opened=texts("refused.form_not_opened"))

    def _not_counted(self, exc: Exception, profile: Profile, texts: Texts) -> VoteReply:
        match exc:
            case RequestDenied(view=view) if isinstance(exc.denial, ReasonMissing):
                return VoteReply(text=texts("refused.reason_missing"), reason_missing=True, view=view)
            case RequestDenied(view=view):
                why = type(exc.denial).__name__
                INTERACTIONS.labels(outcome=why).inc()
                log.info("press_refused", why=why, gate=str(view.id) if view else None)
                if view is not None and isinstance(exc.denial, OUTDATED_CARD_DENIALS):
                    # The card may be outdated: redraw it.
                    self._replies.later(self._redraw(view.id), what="redraw")
                reply = denial_text(exc, texts=texts, approvers=_approvers(view, self._rules))
                break_glass = self._break_glass_buttons(profile, view, exc.unmet, texts) if view else ()
                return VoteReply(text=reply, buttons=break_glass, view=view, denial=exc.denial)
            case DatabaseUnavailable() | TimeoutError():
                user = profile.person.user
                INTERACTIONS.labels(outcome="record_away").inc()
                log.error("press_not_recorded", problem=type(exc).__name__, user=user)
                return VoteReply(text=save_error_text(exc, texts=texts), retryable=True)
            case _:
                short = error_id()
                INTERACTIONS.labels(outcome="failed").inc()
                log.error("press_failed", error_id=short, user=profile.person.user, exc_info=exc)
                return VoteReply(text=texts("refused.unknown_error", id=short), retryable=True)

    def _next_buttons(self, vote: VoteRequest, accepted: VoteAccepted, texts: Texts) -> tuple[Block, ...]:
        """Buttons for the voter: retract the vote; for admins, break glass."""
        if accepted.decision is not None:
            return ()
        action_value = ActionValue(gate=vote.gate, prompt_version=vote.prompt_version)
        profile = Profile(person=vote.person, locale=texts.locale)
        break_glass = self._break_glass_buttons(profile, accepted.view, accepted.owed, texts)
        return (retract_vote_button(action_value, texts=texts), *break_glass)

    def _break_glass_buttons(
        self, profile: Profile, view: GateView, unmet: Sequence[Violation], texts: Texts
    ) -> tuple[Block, ...]:
        """Break glass, for an admin whom a rule blocks."""
        is_admin = self._rules.roster().holds(profile.person.user, approvers=self._rules.admins)
        action_value = ActionValue(gate=view.id, prompt_version=view.prompt_version)
        return (break_glass_button(action_value, texts=texts),) if unmet and is_admin else ()

    def _needs_no_reason(self, view: GateView) -> bool:
        rule_status = rule_status_of(view, rules=self._rules, now=self._clock())
        return rule_status is not None and rule_status.policy.reason is ReasonFor.NEVER

    def record_card_place(self, body: Body, action: Mapping[str, Any]) -> None:
        """Saves the place of the card that the action came from."""
        place = _place(body)
        try:
            gate = ActionValue.parse(action.get("value")).gate
        except InvalidActionValue:
            return
        if place is not None and _is_card(body, action, gate):
            self._replies.later(self._save_card_place(gate, place), what="card place")

    async def _redraw(self, gate: GateId) -> None:
        await self._cards.redraw(gate, now=self._clock())
        self._wakeups.notify("card_outdated")

    async def _save_card_place(self, gate: GateId, place: CardPlace) -> None:
        await self._cards.met(gate, place=place, now=self._clock())
        self._wakeups.notify("card_place_learned")


def _vote_request(value: object, profile: Profile, choice: Choice, reason: str) -> VoteRequest:
    """Raises `RequestDenied` for an invalid value."""
    try:
        action_value = ActionValue.parse(value)
    except InvalidActionValue:
        raise RequestDenied(NoSuchGate(), None) from None
    return VoteRequest(
        gate=action_value.gate,
        prompt_version=action_value.prompt_version,
        person=profile.person,
        choice=choice,
        reason=reason,
    )


def _approvers(view: GateView | None, rules: Rules) -> tuple[str, ...]:
    domain = rules.domain(view.switch.domain) if view and view.switch.domain else None
    return domain.policy.voters if domain else ()


def _is_card(body: Body, action: Mapping[str, Any], gate: GateId) -> bool:
    """Whether the message is a card, not a list or reply with the same buttons.

    Slack does not guarantee a message's metadata in the payload; the block id of a card's buttons is unique.
    """
    metadata = (body.get("message") or {}).get("metadata")
    if metadata:
        return bool(
            metadata.get("event_type") == CARD
            and (metadata.get("event_payload") or {}).get("gate") == str(gate)
        )
    return CARD_BLOCK.fullmatch(str(action.get("block_id") or "")) is not None


def _place(body: Body) -> CardPlace | None:
    """The place of the message, if it is not ephemeral or a reply."""
    container, channel = body.get("container") or {}, channel_of(body)
    ts = container.get("message_ts")
    is_reply = container.get("thread_ts") not in (None, ts)
    if not channel or not ts or is_reply or container.get("is_ephemeral"):
        return None
    return CardPlace(channel=channel, ts=str(ts))
