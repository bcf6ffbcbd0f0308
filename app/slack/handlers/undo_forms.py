"""The forms of Roll back: opened, corrected once the deployment is read, and replaced where a request was denied."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.flow.approval.request_denied import RequestDenied
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.switch_progress import undo_context_of
from app.flow.undo.fresh_view import FreshViews
from app.gate.rules.denials import Denial
from app.gate.undo import InterventionKind, NotWhatWasAsked, available_undo
from app.i18n.catalog import Texts
from app.slack.blocks import Block
from app.slack.handlers.save_errors import UNCONFIRMED
from app.slack.modals.reason_form import denial_notice
from app.slack.modals.undo import UndoForm, UndoMetadata
from app.slack.payload import Body
from app.slack.replies import OpenModal, Replies
from app.slack.text.denials import denial_text
from app.slack.text.escape import escaped, inline, quoted
from app.slack.text.switch import domain_name

OPENED_READ_SECONDS: Final = 5.0
"""How long an open form waits for CodeDeploy before it says that it could not be read."""

SUBMITTED_READ_SECONDS: Final = 0.8
"""The same before a rollback is requested. Slack waits 3 s; after it the request is made by what the record knows."""

SHOWN_AFTER_SECONDS: Final = 1.0
"""Slack must have shown the view of an ack before it is updated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoDenied:
    """Why a request was denied. `retryable`: a retry may succeed."""

    text: str
    retryable: bool = False
    denial: Denial | None = None
    view: GateView | None = None


class UndoForms:
    """What the person sees; nothing is decided here."""

    def __init__(
        self, *, fresh_views: FreshViews, rules: Rules, replies: Replies, clock: Callable[[], datetime]
    ) -> None:
        self._fresh_views = fresh_views
        self._rules = rules
        self._replies = replies
        self._clock = clock

    async def show(self, body: Body, form: UndoForm, texts: Texts) -> None:
        """Opens the form at once, as the trigger lives 3 s, then reads the deployment and corrects the form."""
        not_opened = texts("refused.form_not_opened")
        opened = await self._replies.open_modal_now(body, form.block(texts), not_opened=not_opened)
        if opened is not None:
            await self._refresh(opened, form, texts)

    def refresh_shown(self, body: Body, shown: UndoForm, texts: Texts) -> None:
        """The same for a form that an ack shows."""

        async def refresh() -> None:
            await asyncio.sleep(SHOWN_AFTER_SECONDS)
            modal = OpenModal(id=str((body.get("view") or {}).get("id") or ""), hash=None)
            await self._refresh(modal, shown, texts)

        self._replies.background.run(refresh(), what="undo form")

    async def catch_up(self, metadata: UndoMetadata) -> None:
        """Before a stop is requested: has the deployment ended since it was polled? Then the record is to know it."""
        if metadata.kind is not InterventionKind.STOP:
            return
        with suppress(*UNCONFIRMED):  # the request itself meets the same error, and reports it
            view = await self._fresh_views.gates.get(metadata.action_value.gate)
            if view is not None:
                await self._fresh_views.of(view, seconds=SUBMITTED_READ_SECONDS)

    def instead(self, denied: UndoDenied, reason: str, texts: Texts) -> Block:
        """What replaces a form whose request was denied: the form of what is possible now, or why nothing is.

        The reason is kept.
        """
        view = denied.view
        if isinstance(denied.denial, NotWhatWasAsked) and view is not None:
            note = texts("undo.changed", domain=escaped(domain_name(view, texts)))
            kind = available_undo(undo_context_of(view))
            form = UndoForm(view=view, kind=kind, now=self._clock(), notes=(note,), reason=reason)
            return form.block(texts)
        text = f"{denied.text}\n\n{texts('undo.your_reason')}\n{quoted(reason)}"
        return denial_notice(text, title=texts("undo.title"), close=texts("undo.close"))

    def denied(self, exc: RequestDenied, texts: Texts) -> UndoDenied:
        """Why, in words."""
        text = denial_text(exc, texts=texts, approvers=self._who_may(exc.view))
        return UndoDenied(text=text, denial=exc.denial, view=exc.view)

    def _who_may(self, view: GateView | None) -> tuple[str, ...]:
        domain = self._rules.domain(view.switch.domain) if view and view.switch.domain else None
        may = (*domain.policy.voters, *self._rules.admins) if domain else ()
        return tuple(dict.fromkeys(may))

    async def _refresh(self, opened: OpenModal, shown: UndoForm, texts: Texts) -> None:
        view = await self._fresh_views.of(shown.view, seconds=OPENED_READ_SECONDS)
        if view is None:
            corrected = replace(shown, notes=(*shown.notes, texts("undo.unread"))).block(texts)
        else:
            corrected = self._corrected(shown, view, texts)
        if corrected != shown.block(texts):
            await self._replies.update_modal(opened, corrected)

    def _corrected(self, shown: UndoForm, view: GateView, texts: Texts) -> Block:
        try:
            kind = available_undo(undo_context_of(view))
        except Denial as exc:
            denied = self.denied(RequestDenied(exc, view), texts)
            return denial_notice(denied.text, title=texts("undo.title"), close=texts("undo.close"))
        notes = shown.notes
        if kind is not shown.kind:
            notes = (*notes, texts("undo.checked", deployment=inline(view.switch.key.deployment)))
        return replace(shown, view=view, kind=kind, now=self._clock(), notes=notes).block(texts)
