"""Handles Withdraw: the form, and its submission."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from app.concurrency.timeouts import run_until
from app.flow.approval.approval_context import NoSuchGate
from app.flow.approval.request_denied import RequestDenied
from app.flow.approval.withdraw_switch import WithdrawalRequest, check_withdrawal, withdraw_switch
from app.flow.free_text import has_content
from app.flow.ports.database import GateRepository
from app.flow.ports.rules import Rules
from app.gate.ids import GateId
from app.i18n.catalog import Texts
from app.observability.logging import error_id
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.handlers.save_errors import UNCONFIRMED, save_error_text
from app.slack.handlers.vote_reply import VoteReply
from app.slack.identity import Caller
from app.slack.modals.reason_form import REASON, denial_notice
from app.slack.modals.withdraw import withdraw_form
from app.slack.payload import Ack, Body, ack_deadline, request_key
from app.slack.replies import Replies
from app.slack.text.denials import denial_text, repeat_after
from app.slack.text.user_input import form_text
from app.slack.users.accounts import Profile
from app.slack.users.directory import Directory
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)


class WithdrawHandler:
    """Lets a deployer withdraw their own switch while nobody has decided it."""

    def __init__(
        self,
        *,
        repository: GateRepository,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._wakeups = wakeups
        self._clock = clock

    async def ask(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """`withdraw`: opens the form. Decides nothing, so it acks first."""
        await ack()
        self._replies.background.run(self._show(body, action.get("value")), what="withdraw form")

    async def form(self, gate: GateId, profile: Profile, *, body: Body) -> str:
        """Opens the form, or returns why this person cannot withdraw. Raises `DatabaseUnavailable`."""
        reply = await self._open_form(gate, profile, body=body)
        return reply.text if reply is not None else ""

    async def submitted(self, ack: Ack, body: Body, view: Mapping[str, Any], caller: Caller) -> None:
        """Handles the submitted form: commits, then acks."""
        typed_in = form_text(view.get("state", {}), REASON)
        reply = await self._withdraw(
            view.get("private_metadata"),
            caller,
            typed_in if has_content(typed_in) else "",
            request=request_key(body),
        )
        if reply is None:
            await ack()
        elif reply.retryable:
            # Keep the form open, so that the typed text is not lost.
            await ack(response_action="errors", errors={REASON: reply.text})
        else:
            texts = caller.texts
            notice = denial_notice(reply.text, title=texts("withdraw.title"), close=texts("reject.close"))
            await ack(response_action="update", view=notice)

    async def _withdraw(
        self, value: object, caller: Caller, reason: str, *, request: str
    ) -> VoteReply | None:
        """Why it failed; None: the switch is withdrawn."""
        person, texts = caller.profile.person, caller.texts
        try:
            withdrawing = withdraw_switch(
                WithdrawalRequest(
                    gate=ActionValue.parse(value).gate, by=person, reason=reason, request=request
                ),
                repository=self._repository,
                rules=self._rules,
                now=self._clock(),
            )
            await run_until(caller.until, withdrawing)
        except InvalidActionValue:
            return self._denied(RequestDenied(NoSuchGate(), None), texts)
        except RequestDenied as exc:
            return self._denied(exc, texts)
        except UNCONFIRMED as exc:
            log.error("withdrawal_not_saved", problem=type(exc).__name__, user=person.user)
            return VoteReply(text=save_error_text(exc, texts=texts), retryable=True)
        except Exception:
            short = error_id()
            log.exception("withdrawal_failed", error_id=short, user=person.user)
            return VoteReply(text=texts("refused.unknown_error", id=short), retryable=True)
        self._wakeups.notify("gate_decided")
        return None

    async def _show(self, body: Body, value: object) -> None:
        until = ack_deadline()
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        try:
            opening = self._open_form(ActionValue.parse(value).gate, profile, body=body)
            reply = await run_until(until, opening)
        except InvalidActionValue:
            reply = self._denied(RequestDenied(NoSuchGate(), None), texts)
        except UNCONFIRMED:
            reply = VoteReply(text=texts("refused.nothing_recorded"))
        if reply is not None:
            self._replies.answer(body, reply.text, repeat_after=repeat_after(reply.denial, profile.person))

    async def _open_form(self, gate: GateId, profile: Profile, *, body: Body) -> VoteReply | None:
        texts = Texts.of(profile.locale)
        request = WithdrawalRequest(gate=gate, by=profile.person, reason="")
        try:
            view = await check_withdrawal(
                request, repository=self._repository, rules=self._rules, now=self._clock()
            )
        except RequestDenied as exc:
            return self._denied(exc, texts)
        form = withdraw_form(view, texts=texts)
        self._replies.open_modal(body, form, not_opened=texts("refused.form_not_opened"))
        return None

    def _denied(self, denied: RequestDenied, texts: Texts) -> VoteReply:
        return VoteReply(text=denial_text(denied, texts=texts, approvers=()), denial=denied.denial)
