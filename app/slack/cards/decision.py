"""The decision on a card: its stage, who decided and why, and what was reported to CodeDeploy."""

from typing import Final, assert_never

from app.flow.read_models import CastVote, GateView
from app.flow.switch_progress import (
    is_approved,
    is_being_undone,
    is_let_through,
    is_let_through_elsewhere,
    is_undone,
    is_withdrawn_by_somebody,
    progress_of,
)
from app.gate.decision import Verdict
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting, Closed, Decided, Outcome, Reported
from app.gate.undo import Progress
from app.gate.votes import NO_REASON, Choice
from app.i18n.catalog import Texts
from app.slack.blocks import mention, when
from app.slack.cards.approval_status import reason_lines
from app.slack.text.escape import inline, quoted
from app.slack.text.switch import BASIS_KEYS, domain_name, ending_text

MAX_REASONS: Final = 10
STAGES: Final = {Progress.SWITCHED: "switched", Progress.FINISHED: "finished", Progress.ENDED: "failed"}
STAGES_OF_AN_UNDO: Final = {
    Progress.HELD: "undoing",
    Progress.SHIFTING: "undoing",
    Progress.SWITCHED: "undone",
    Progress.FINISHED: "undone",
    Progress.ENDED: "failed",
}
"""For an undo: green runs the previous version, and the text must not call it new."""


def card_sentence(view: GateView, *, texts: Texts) -> str:
    """The message's text: what a notification or a screen reader says."""
    return texts(
        f"card.text.{card_stage(view)}",
        domain=domain_name(view, texts),
        deployment=view.switch.key.deployment,
        who=inline(view.decided_name or ""),
    )


def _state(view: GateView) -> str:
    """The state part of the card's text keys."""
    match view.gate:
        case Awaiting(verified=True):
            return "waiting"
        case Awaiting():
            return "unverified"
        case Decided(verdict=verdict) | Reported(verdict=verdict) | Closed(verdict=verdict):
            if is_withdrawn_by_somebody(view):
                return "withdrawn_by"
            if verdict is Verdict.WITHDRAWN and not view.switch.verified:
                return "unconfirmed"
            if verdict is Verdict.WITHDRAWN and is_let_through_elsewhere(view):
                return "answered_elsewhere"
            return BASIS_KEYS.get(view.basis, verdict.value) if view.basis else verdict.value
        case _:
            assert_never(view.gate)


def card_stage(view: GateView) -> str:
    """The stage part of the text keys: the decision's state until traffic moves."""
    if not is_let_through(view) or view.basis is Basis.AUTO_ROLLBACK:
        return _state(view)
    if is_undone(view):
        return "undo_taken_back" if view.basis is Basis.UNDO else "taken_back"
    if is_being_undone(view):
        return "taking_back"
    stages = STAGES_OF_AN_UNDO if view.basis is Basis.UNDO else STAGES
    found = stages.get(progress_of(view))
    return found or ("answered_elsewhere" if is_let_through_elsewhere(view) else _state(view))


def _deciders(view: GateView) -> list[CastVote]:
    """The votes that decided. Approvals before a rejection or a break-glass approval are not among them."""
    if not isinstance(view.gate, Awaiting) and view.gate.verdict is Verdict.REJECTED:
        return [vote for vote in view.votes if vote.choice is Choice.REJECT and vote.counted]
    by_votes = view.votes if view.basis is Basis.VOTES else ()
    return [vote for vote in by_votes if vote.choice is Choice.APPROVE and vote.counted]


def decision_reasons(view: GateView) -> list[str]:
    """The reasons of the decision: one, or several for a joint rejection."""
    if _state(view) == "answered_elsewhere":
        return []
    deciders = _deciders(view)
    if len(deciders) > 1 and deciders[0].choice is Choice.REJECT:
        return reason_lines(deciders)[:MAX_REASONS]
    return [quoted(view.reason)] if view.reason and view.reason != NO_REASON else []


def decision_text(view: GateView, texts: Texts) -> str:
    voters = ", ".join(mention(vote.voter) for vote in _deciders(view))
    state = _state(view)
    if state == Verdict.EXPIRED and is_let_through_elsewhere(view):
        state = "expired_elsewhere"
    return texts(
        "card.decided.undo" if view.basis is Basis.UNDO else f"card.decided.{state}",
        who=voters or _decider(view),
        at=when(view.decided_at or view.opened_at),
        deadline=when(view.deadline_at),
        rolled_back=inline(view.switch.rollback_of or "") if view.switch.rollback_of else "—",
    )


def _decider(view: GateView) -> str:
    return mention(view.decided_by) if view.decided_by else inline(view.decided_name or "")


def outcome_text(view: GateView, texts: Texts) -> str:
    """What was reported to CodeDeploy and what it answered; only after the report succeeded."""
    detail = inline(view.outcome_detail or "")
    match view.outcome:
        case Outcome.ACKNOWLEDGED:
            reported = texts("card.outcome.told", answer=detail)
            ended = view.switch.ended_at is not None and not is_approved(view)
            ended_line = texts("card.outcome.ended", ending=ending_text(view.switch)) if ended else ""
            return f"{reported}\n{ended_line}" if ended_line else reported
        case Outcome.CONFLICT:
            return texts("card.outcome.contradicted", held=detail)
        case Outcome.UNDELIVERABLE:
            return texts("card.outcome.undeliverable", why=detail)
        case None if isinstance(view.gate, Decided) and view.report_error:
            return texts("card.outcome.trouble", why=inline(view.report_error))
        case None if isinstance(view.gate, Decided):
            waiting = "telling" if view.gate.verified else "unverified"
            return texts(f"card.outcome.{waiting}")
        case None:
            elsewhere = is_let_through_elsewhere(view)
            return texts("card.outcome.elsewhere" if elsewhere else "card.outcome.nobody")
        case _:
            assert_never(view.outcome)
