"""Handles Approve and Reject: commit, ack, reply."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from app.concurrency.timeouts import run_until
from app.flow.approval.approval_context import NoSuchGate, rejections_after
from app.flow.approval.cast_vote import VoteRequest, cast_vote, check_vote
from app.flow.approval.live_traffic import LiveTraffic
from app.flow.approval.request_denied import RequestDenied
from app.flow.approval.rule_status import rule_status_of
from app.flow.free_text import has_content
from app.flow.ports.database import GateRepository
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.rules.policy import ReasonFor
from app.gate.state_machine import AlreadyDecided
from app.gate.votes import Choice, FormAnswers
from app.i18n.catalog import Texts
from app.observability.metrics import INTERACTIONS
from app.observability.tracing import span
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.blocks import Block
from app.slack.cards.buttons import reply_blocks
from app.slack.handlers.save_errors import UNCONFIRMED
from app.slack.handlers.shown_cards import ShownCards, message_place
from app.slack.handlers.undo import UndoHandler
from app.slack.handlers.vote_reply import VoteReplies, VoteReply, roll_back_button
from app.slack.identity import Caller
from app.slack.modals.reason_form import REASON, denial_notice
from app.slack.modals.undo import UndoForm
from app.slack.modals.vote import approve_form, form_answers, has_fields, missing_fields, reject_form
from app.slack.payload import Ack, Body, ack_deadline, request_key
from app.slack.replies import Replies
from app.slack.text.denials import repeat_after, vote_accepted_text
from app.slack.text.user_input import form_text
from app.slack.users.accounts import Profile
from app.slack.users.directory import Directory
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)


class VoteHandler:
    """Handles Approve, Reject and their forms."""

    def __init__(
        self,
        *,
        repository: GateRepository,
        traffic: LiveTraffic,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        shown_cards: ShownCards,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
        undo: UndoHandler,
    ) -> None:
        self._undo = undo
        self._repository = repository
        self._traffic = traffic
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._shown_cards = shown_cards
        self._vote_replies = VoteReplies(rules=rules, shown_cards=shown_cards)
        self._wakeups = wakeups
        self._clock = clock

    async def approve(self, ack: Ack, body: Body, action: Mapping[str, Any], caller: Caller) -> None:
        """`approve` on a card, or in the list of `/deploys`."""
        reply = await self.cast(
            action.get("value"),
            caller.profile,
            Choice.APPROVE,
            "",
            until=caller.until,
            request=request_key(body),
        )
        await ack()
        if reply.incomplete and reply.view is not None:
            form = self._approve_form(action.get("value"), reply.view, caller.texts)
            self._replies.open_modal(body, form, not_opened=caller.texts("refused.form_not_opened"))
        else:
            on_card = message_place(body) is not None
            self._answer(body, reply, caller.profile, Choice.APPROVE, on_card=on_card)

    async def approve_reason(self, ack: Ack, body: Body, view: Mapping[str, Any], caller: Caller) -> None:
        """Handles the submitted approve form."""
        await self._submitted(ack, body, view, caller, Choice.APPROVE)

    async def reject(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """`reject`: opens the form. Decides nothing, so it acks first."""
        await ack()
        self._replies.background.run(self._ask_why(body, action.get("value")), what="reject form")

    async def reject_reason(self, ack: Ack, body: Body, view: Mapping[str, Any], caller: Caller) -> None:
        """Handles the submitted reject form."""
        await self._submitted(ack, body, view, caller, Choice.REJECT)

    async def _submitted(
        self, ack: Ack, body: Body, view: Mapping[str, Any], caller: Caller, choice: Choice
    ) -> None:
        profile, texts = caller.profile, caller.texts
        typed_in = form_text(view.get("state", {}), REASON)
        reason = typed_in if has_content(typed_in) else ""
        reply = await self.cast(
            view.get("private_metadata"),
            profile,
            choice,
            reason,
            form=form_answers(view) if choice is Choice.APPROVE else None,
            until=caller.until,
            request=request_key(body),
        )
        if reply.accepted is not None:
            await ack()
            self._answer(body, reply, profile, choice, on_card=True)
        elif reply.incomplete:
            await self._ask_again(ack, view, reply, reason, texts)
        elif reply.retryable:
            # Keep the form open, so that the typed text is not lost.
            await ack(response_action="errors", errors={REASON: reply.text})
        elif form := self._undo_instead(reply, profile, choice, reason):
            await ack(response_action="update", view=form.block(texts))
            self._undo.forms.refresh_shown(body, form, texts)
        else:
            title = texts("approve.title" if choice is Choice.APPROVE else "reject.title")
            notice = denial_notice(reply.text, title=title, close=texts("reject.close"))
            await ack(response_action="update", view=notice)

    async def _ask_again(
        self, ack: Ack, view: Mapping[str, Any], reply: VoteReply, reason: str, texts: Texts
    ) -> None:
        """Names the fields that are missing. A form that lacks them, because the rules have changed since it was
        opened, is replaced by one that has them."""
        missing = missing_fields(reply.denial, texts=texts)
        if has_fields(view, missing) or reply.view is None:
            await ack(response_action="errors", errors=missing)
            return
        ticked = form_answers(view).ticked
        form = self._approve_form(
            view.get("private_metadata"), reply.view, texts, reason=reason, ticked=ticked
        )
        await ack(response_action="update", view=form)

    def _approve_form(self, value: object, view: GateView, texts: Texts, **filled_in: Any) -> Block:
        """`value` is valid: it was parsed before."""
        rule_status = rule_status_of(view, rules=self._rules, now=self._clock())
        policy = rule_status.policy if rule_status else self._rules.default_policy
        return approve_form(ActionValue.parse(value), view=view, policy=policy, texts=texts, **filled_in)

    def _undo_instead(
        self, reply: VoteReply, profile: Profile, choice: Choice, reason: str
    ) -> UndoForm | None:
        """For a rejection that came after an approval: the form of Roll back, with the reason."""
        if choice is not Choice.REJECT or reply.view is None or not isinstance(reply.denial, AlreadyDecided):
            return None
        return self._undo.after_lost_race(reply.view, profile, says=reply.text, reason=reason)

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
        form: FormAnswers | None = None,
        until: float,
        request: str | None = None,
    ) -> VoteReply:
        """Casts one vote. Every failure becomes a reply, and saves nothing."""
        texts = Texts.of(profile.locale)
        try:
            vote = replace(_vote_request(value, profile, choice, reason), request=request, form=form)
            deciding = cast_vote(
                vote, repository=self._repository, rules=self._rules, traffic=self._traffic, now=self._clock()
            )
            with span("vote", gate=str(vote.gate)):
                accepted = await run_until(until, deciding)
        except Exception as exc:
            return self._vote_replies.failed(exc, profile, texts)
        INTERACTIONS.labels(outcome="accepted").inc()
        self._wakeups.notify("gate_decided" if accepted.decision else "votes_changed")
        return VoteReply(
            text="", accepted=accepted, buttons=self._vote_replies.next_buttons(vote, accepted, texts)
        )

    async def _ask_why(self, body: Body, value: object) -> None:
        """Opens the reject form, unless the vote would be denied anyway."""
        until = ack_deadline()
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        try:
            vote = _vote_request(value, profile, Choice.REJECT, "")
            asking = check_vote(vote, repository=self._repository, rules=self._rules, now=self._clock())
            view = await run_until(until, asking)
        except UNCONFIRMED as exc:
            log.warning("form_not_opened", problem=type(exc).__name__, user=profile.person.user)
            # Nothing was to be saved, so the outcome is not in doubt.
            self._replies.answer(body, texts("refused.nothing_recorded"))
            return
        except Exception as exc:
            reply = self._vote_replies.failed(exc, profile, texts)
            if offered := self._undo_instead(reply, profile, Choice.REJECT, ""):
                reply = replace(reply, buttons=(*reply.buttons, roll_back_button(offered.view, texts=texts)))
            self._answer(body, reply, profile, Choice.REJECT, on_card=True)
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

    def _needs_no_reason(self, view: GateView) -> bool:
        rule_status = rule_status_of(view, rules=self._rules, now=self._clock())
        return rule_status is not None and rule_status.policy.reason is ReasonFor.NEVER


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
