"""The reply to a vote: accepted, denied, or not saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app.flow.approval.cast_vote import FORM_DENIALS, VoteAccepted, VoteRequest
from app.flow.approval.request_denied import RequestDenied
from app.flow.ports.database import DatabaseUnavailable
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.rules.denials import ApprovalBlocked, Denial, RulesChanged
from app.gate.rules.violations import Violation
from app.gate.state_machine import AlreadyDecided, CardIsOld, NotVerified, TooLate
from app.i18n.catalog import Texts
from app.observability.logging import error_id
from app.observability.metrics import INTERACTIONS
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, button
from app.slack.cards.buttons import break_glass_button, retract_vote_button
from app.slack.handlers.save_errors import save_error_text
from app.slack.handlers.shown_cards import ShownCards
from app.slack.text.denials import denial_text
from app.slack.users.accounts import Profile

log = structlog.get_logger(__name__)

OUTDATED_CARD_DENIALS: Final = (
    AlreadyDecided,
    CardIsOld,
    TooLate,
    NotVerified,
    ApprovalBlocked,
    RulesChanged,
)
"""Denials after which the card may be outdated, and is redrawn. Other denials cause no Slack call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteReply:
    """The reply to a vote, and the buttons under it. `retryable`: a retry may succeed.

    `incomplete`: the vote would count with what a form asks; `view`: the gate of a denied vote; `denial`: why it was
    denied.
    """

    text: str
    buttons: tuple[Block, ...] = ()
    accepted: VoteAccepted | None = None
    retryable: bool = False
    incomplete: bool = False
    view: GateView | None = None
    denial: Denial | None = None


class VoteReplies:
    """Builds the replies, and has the card redrawn that an old button came from."""

    def __init__(self, *, rules: Rules, shown_cards: ShownCards) -> None:
        self._rules = rules
        self._shown_cards = shown_cards

    def failed(self, exc: Exception, profile: Profile, texts: Texts) -> VoteReply:
        """Why the vote was not counted: denied, not saved, or a defect."""
        match exc:
            case RequestDenied(view=view) if isinstance(exc.denial, FORM_DENIALS):
                text = denial_text(exc, texts=texts, approvers=())
                return VoteReply(text=text, incomplete=True, view=view, denial=exc.denial)
            case RequestDenied(view=view):
                code = exc.denial.code
                INTERACTIONS.labels(outcome=code).inc()
                about = {"gate": str(view.id), "deployment": view.switch.key.deployment} if view else {}
                log.info("vote_denied", code=code, **about)
                if view is not None and isinstance(exc.denial, OUTDATED_CARD_DENIALS):
                    self._shown_cards.redraw(view.id)
                reply = denial_text(exc, texts=texts, approvers=_approvers(view, self._rules))
                break_glass = self._break_glass_buttons(profile, view, exc.unmet, texts) if view else ()
                return VoteReply(text=reply, buttons=break_glass, view=view, denial=exc.denial)
            case DatabaseUnavailable() | TimeoutError():
                user = profile.person.user
                INTERACTIONS.labels(outcome="database_unavailable").inc()
                log.error("vote_not_saved", problem=type(exc).__name__, user=user)
                return VoteReply(text=save_error_text(exc, texts=texts), retryable=True)
            case _:
                short = error_id()
                INTERACTIONS.labels(outcome="failed").inc()
                log.error("vote_failed", error_id=short, user=profile.person.user, exc_info=exc)
                return VoteReply(text=texts("refused.unknown_error", id=short), retryable=True)

    def next_buttons(self, vote: VoteRequest, accepted: VoteAccepted, texts: Texts) -> tuple[Block, ...]:
        """Buttons for the voter: retract the vote; for admins, break glass."""
        if accepted.decision is not None:
            return ()
        profile = Profile(person=vote.person, locale=texts.locale)
        break_glass = self._break_glass_buttons(profile, accepted.view, accepted.unmet, texts)
        return (retract_vote_button(accepted.view, texts=texts), *break_glass)

    def _break_glass_buttons(
        self, profile: Profile, view: GateView, unmet: Sequence[Violation], texts: Texts
    ) -> tuple[Block, ...]:
        """Break glass, for an admin whom a rule blocks."""
        is_admin = self._rules.roster().includes(profile.person.user, approvers=self._rules.admins)
        return (break_glass_button(view, texts=texts),) if unmet and is_admin else ()


def roll_back_button(view: GateView, *, texts: Texts) -> Block:
    """Opens the form of Roll back, as the card's button does."""
    value = str(ActionValue(gate=view.id, prompt_version=view.prompt_version))
    return button(texts("button.undo"), action="undo", value=value, style="danger")


def _approvers(view: GateView | None, rules: Rules) -> tuple[str, ...]:
    domain = rules.domain(view.switch.domain) if view and view.switch.domain else None
    return domain.policy.voters if domain else ()
