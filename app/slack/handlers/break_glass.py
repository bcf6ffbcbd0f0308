"""Handles Break glass: the form, and its submission."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from app.concurrency.timeouts import run_until
from app.flow.approval.approval_context import (
    NoSuchGate,
    approval_context_of,
    violations_for,
    with_related_switches,
)
from app.flow.approval.break_glass import BreakGlassRequest, BreakGlassResult, break_glass
from app.flow.approval.live_traffic import LiveTraffic
from app.flow.approval.request_denied import RequestDenied
from app.flow.free_text import has_content
from app.flow.ports.database import GateRepository
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.ids import GateId
from app.gate.people import AccountStatus
from app.gate.rules.denials import Denial, NotAMember, NotAnAdmin, NothingToBreak, ReasonMissing, RulesChanged
from app.i18n.catalog import Texts
from app.observability.logging import error_id
from app.observability.metrics import BREAK_GLASS
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.blocks import Block
from app.slack.handlers.save_errors import UNCONFIRMED, save_error_text
from app.slack.handlers.vote_reply import VoteReply
from app.slack.identity import Caller
from app.slack.modals.break_glass import BREAK_GLASS_REASON, BreakGlassMetadata, break_glass_form
from app.slack.modals.reason_form import denial_notice
from app.slack.payload import Ack, Body, ack_deadline, request_key
from app.slack.replies import Replies
from app.slack.text.denials import denial_text, repeat_after
from app.slack.text.user_input import form_text
from app.slack.users.accounts import Profile
from app.slack.users.directory import Directory
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)


class BreakGlassHandler:
    """Overrides rules by a break-glass approval."""

    def __init__(
        self,
        *,
        repository: GateRepository,
        traffic: LiveTraffic,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._traffic = traffic
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._wakeups = wakeups
        self._clock = clock

    def _answer(self, body: Body, reply: VoteReply, profile: Profile) -> None:
        self._replies.answer(body, reply.text, repeat_after=repeat_after(reply.denial, profile.person))

    async def ask(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """`break_glass`: opens the form that names the rules to override. Decides nothing."""
        await ack()
        self._replies.background.run(self._show(body, action.get("value")), what="glass form")

    async def submitted(self, ack: Ack, body: Body, view: Mapping[str, Any], caller: Caller) -> None:
        """Handles the submitted form."""
        profile, texts, until = caller.profile, caller.texts, caller.until
        typed_in = form_text(view.get("state", {}), BREAK_GLASS_REASON)
        reason = typed_in if has_content(typed_in) else ""
        try:
            result = await self._break(
                view.get("private_metadata"), profile, reason, until=until, request=request_key(body)
            )
        except RequestDenied as exc:
            await self._answer_denied(ack, exc, view, reason, texts)
        except UNCONFIRMED as exc:
            log.error("break_glass_not_saved", problem=type(exc).__name__, user=profile.person.user)
            await ack(
                response_action="errors", errors={BREAK_GLASS_REASON: save_error_text(exc, texts=texts)}
            )
        except Exception:
            short = error_id()
            log.exception("break_glass_failed", error_id=short, user=profile.person.user)
            text = texts("refused.unknown_error", id=short)
            await ack(response_action="errors", errors={BREAK_GLASS_REASON: text})
        else:
            BREAK_GLASS.labels(domain=result.view.switch.domain or "").inc()
            log.warning("break_glass_used", gate=str(result.view.id), user=profile.person.user)
            self._wakeups.notify("gate_decided")
            await ack()

    async def _break(
        self, metadata: object, profile: Profile, reason: str, *, until: float, request: str
    ) -> BreakGlassResult:
        try:
            carried = BreakGlassMetadata.parse(metadata)
        except InvalidActionValue:
            raise RequestDenied(NoSuchGate(), None) from None
        break_glass_request = BreakGlassRequest(
            gate=carried.action_value.gate,
            prompt_version=carried.action_value.prompt_version,
            person=profile.person,
            named=carried.named,
            reason=reason,
            request=request,
        )
        breaking = break_glass(
            break_glass_request,
            repository=self._repository,
            rules=self._rules,
            traffic=self._traffic,
            now=self._clock(),
        )
        return await run_until(until, breaking)

    async def _answer_denied(
        self, ack: Ack, denied: RequestDenied, view: Mapping[str, Any], reason: str, texts: Texts
    ) -> None:
        denial = denied.denial
        if isinstance(denial, ReasonMissing):
            await ack(response_action="errors", errors={BREAK_GLASS_REASON: texts("glass.reason_missing")})
        elif isinstance(denial, RulesChanged) and denied.view is not None:
            action_value = BreakGlassMetadata.parse(view.get("private_metadata")).action_value
            form = break_glass_form(
                action_value,
                view=denied.view,
                violations=denial.overridden_rules,
                texts=texts,
                reason=reason,
                again=True,
            )
            await ack(response_action="update", view=form)
        else:
            reply = self._why_not(denied, texts)
            notice = denial_notice(reply.text, title=texts("glass.title"), close=texts("reject.close"))
            await ack(response_action="update", view=notice)

    async def _show(self, body: Body, value: object) -> None:
        until = ack_deadline()
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        try:
            action_value = ActionValue.parse(value)
            view = await run_until(until, self._load(action_value.gate))
            form = self._form(action_value, view, profile, texts)
        except InvalidActionValue:
            self._answer(body, self._why_not(RequestDenied(NoSuchGate(), None), texts), profile)
        except RequestDenied as exc:
            self._answer(body, self._why_not(exc, texts), profile)
        except UNCONFIRMED:
            self._replies.answer(body, texts("refused.nothing_recorded"))
        else:
            self._replies.open_modal(body, form, not_opened=texts("refused.form_not_opened"))

    async def _load(self, gate: GateId) -> GateView | None:
        view = await self._repository.get(gate)
        if view is None:
            return None
        (related,) = await with_related_switches([view], repository=self._repository, rules=self._rules)
        return related

    def _form(
        self, action_value: ActionValue, view: GateView | None, profile: Profile, texts: Texts
    ) -> Block:
        """The form for this person. Raises `RequestDenied` if they may not break glass now; the submit checks again."""
        person = profile.person
        if view is None:
            raise RequestDenied(NoSuchGate(), None)
        if person.account_status is not AccountStatus.MEMBER:
            raise RequestDenied(NotAMember(person.account_status), view)
        if not self._rules.roster().includes(person.user, approvers=self._rules.admins):
            raise RequestDenied(NotAnAdmin(), view)
        try:
            approval_context_of(view, rules=self._rules)
        except Denial as exc:
            raise RequestDenied(exc, view) from None
        violations = violations_for(view, rules=self._rules, now=self._clock(), person=person)
        if not violations:
            raise RequestDenied(NothingToBreak(), view)
        return break_glass_form(action_value, view=view, violations=violations, texts=texts)

    def _why_not(self, denied: RequestDenied, texts: Texts) -> VoteReply:
        text = denial_text(denied, texts=texts, approvers=self._rules.admins)
        return VoteReply(text=text, denial=denied.denial)
