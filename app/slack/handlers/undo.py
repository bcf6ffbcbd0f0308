"""Handles Roll back and Terminate blue: saves the request, acks; a worker executes it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from app.concurrency.timeouts import run_until
from app.flow.approval.approval_context import NoSuchGate
from app.flow.approval.request_denied import RequestDenied
from app.flow.free_text import has_content
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.switch_progress import undo_context_of
from app.flow.undo.fresh_view import FreshViews
from app.flow.undo.request_undo import (
    InterventionRepository,
    InterventionRequest,
    may_undo,
    offered_undo,
    request_undo,
)
from app.gate.ids import GateId
from app.gate.rules.denials import Denial
from app.gate.undo import InterventionKind, available_undo
from app.i18n.catalog import Texts
from app.observability.logging import error_id
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.handlers.save_errors import UNCONFIRMED, save_error_text
from app.slack.handlers.undo_forms import UndoDenied, UndoForms
from app.slack.identity import Caller
from app.slack.modals.reason_form import REASON, denial_notice
from app.slack.modals.undo import UndoForm, UndoMetadata, reason_given_before
from app.slack.payload import Ack, Body, ack_deadline, request_key
from app.slack.replies import Replies
from app.slack.text.denials import denial_text, repeat_after
from app.slack.text.user_input import form_text
from app.slack.users.accounts import Profile
from app.slack.users.directory import Directory
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)


class UndoHandler:
    """Handles the card's buttons Roll back and Terminate blue, and the form of Roll back."""

    def __init__(
        self,
        *,
        repository: InterventionRepository,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
        fresh_views: FreshViews,
    ) -> None:
        self.forms = UndoForms(fresh_views=fresh_views, rules=rules, replies=replies, clock=clock)
        self._repository = repository
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._wakeups = wakeups
        self._clock = clock

    async def undo(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """`undo` on a card: opens the form. Changes nothing, so it acks first."""
        await ack()
        self._replies.background.run(self._ask_why(body, action.get("value")), what="undo form")

    async def undo_reason(self, ack: Ack, body: Body, view: Mapping[str, Any], caller: Caller) -> None:
        """Handles the submitted undo form."""
        profile, texts, until = caller.profile, caller.texts, caller.until
        reason = form_text(view.get("state", {}), REASON)
        if not has_content(reason):
            await ack(response_action="errors", errors={REASON: texts("undo.reason_missing")})
            return
        try:
            metadata = UndoMetadata.parse(view.get("private_metadata"))
        except InvalidActionValue:
            await ack(
                response_action="update",
                view=denial_notice(
                    texts("refused.no_such_gate"), title=texts("undo.title"), close=texts("undo.close")
                ),
            )
            return
        await self.forms.catch_up(metadata)
        denied = await self._intervene(
            metadata.action_value, metadata.kind, profile, reason, until=until, request=request_key(body)
        )
        if denied is None:
            await ack()
        elif denied.retryable:
            # Keep the form open, so that the typed text is not lost.
            await ack(response_action="errors", errors={REASON: denied.text})
        else:
            await ack(response_action="update", view=self.forms.instead(denied, reason, texts))

    def after_lost_race(self, view: GateView, profile: Profile, *, says: str, reason: str) -> UndoForm | None:
        """The form for whoever rejected a switch that somebody had just approved; None if they cannot roll it back."""
        kind = offered_undo(view, profile.person, rules=self._rules)
        if kind is None:
            return None
        return UndoForm(view=view, kind=kind, now=self._clock(), notes=(says,), reason=reason)

    async def finish(self, ack: Ack, body: Body, action: Mapping[str, Any], caller: Caller) -> None:
        """`finish` on a card, after Slack's confirmation dialog."""
        profile, until = caller.profile, caller.until
        try:
            action_value = ActionValue.parse(action.get("value"))
        except InvalidActionValue:
            denied: UndoDenied | None = UndoDenied(text=Texts.of(profile.locale)("refused.no_such_gate"))
        else:
            denied = await self._intervene(
                action_value, InterventionKind.FINISH, profile, "", until=until, request=request_key(body)
            )
        await ack()
        if denied is not None:
            self._answer(body, denied, profile)

    def _answer(self, body: Body, denied: UndoDenied, profile: Profile) -> None:
        self._replies.answer(body, denied.text, repeat_after=repeat_after(denied.denial, profile.person))

    async def ask(self, gate: GateId, profile: Profile, *, body: Body) -> str:
        """Opens the form, or returns the text to show if the switch cannot be undone (by this person). Raises
        `DatabaseUnavailable`."""
        denied = await self._open_form(gate, profile, body=body)
        return denied.text if denied is not None else ""

    async def _open_form(self, gate: GateId, profile: Profile, *, body: Body) -> UndoDenied | None:
        texts = Texts.of(profile.locale)
        try:
            view = await may_undo(
                gate, profile.person, repository=self._repository, rules=self._rules, now=self._clock()
            )
        except RequestDenied as exc:
            return self.forms.denied(exc, texts)
        try:
            kind = available_undo(undo_context_of(view))
        except Denial as exc:
            return UndoDenied(
                text=denial_text(RequestDenied(exc, view), texts=texts, approvers=()), denial=exc
            )
        before = reason_given_before(view, profile.person.user)
        form = UndoForm(view=view, kind=kind, now=self._clock(), reason=before)
        self._replies.background.run(self.forms.show(body, form, texts), what="undo form")
        return None

    async def _ask_why(self, body: Body, value: object) -> None:
        until = ack_deadline()
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        try:
            denied = await run_until(
                until, self._open_form(ActionValue.parse(value).gate, profile, body=body)
            )
        except InvalidActionValue:
            denied = self.forms.denied(RequestDenied(NoSuchGate(), None), texts)
        except UNCONFIRMED:
            denied = UndoDenied(text=texts("refused.nothing_recorded"))
        if denied is not None:
            self._answer(body, denied, profile)

    async def _intervene(
        self,
        action_value: ActionValue,
        kind: InterventionKind,
        profile: Profile,
        reason: str,
        *,
        until: float,
        request: str,
    ) -> UndoDenied | None:
        """Saves the request. None on success: the card shows it."""
        texts = Texts.of(profile.locale)
        intervention = InterventionRequest(
            gate=action_value.gate, kind=kind, person=profile.person, reason=reason, request=request
        )
        try:
            asking = request_undo(
                intervention, repository=self._repository, rules=self._rules, now=self._clock()
            )
            await run_until(until, asking)
        except RequestDenied as exc:
            log.info("undo_denied", code=exc.denial.code, intervention=kind)
            return self.forms.denied(exc, texts)
        except UNCONFIRMED as exc:
            log.error("undo_not_saved", problem=type(exc).__name__, user=profile.person.user)
            return UndoDenied(text=save_error_text(exc, texts=texts), retryable=True)
        except Exception:
            short = error_id()
            log.exception("undo_failed", error_id=short, user=profile.person.user)
            return UndoDenied(text=texts("refused.unknown_error", id=short), retryable=True)
        self._wakeups.notify("intervention_requested")
        return None
