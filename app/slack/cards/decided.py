"""The verdict of a decided gate: what became of the decision and of the switch, problems first."""

from typing import Final, assert_never

from app.flow.read_models import GateView
from app.flow.switch_progress import (
    is_let_through,
    is_let_through_elsewhere,
    is_withdrawn_by_somebody,
    is_withdrawn_for_build,
)
from app.gate.deadline import HOOK_TIMEOUT
from app.gate.decision import Verdict
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting, Decided, Outcome
from app.gate.votes import NO_REASON
from app.i18n.catalog import Texts
from app.slack.blocks import clock, mention, when
from app.slack.cards.health import live_health_line
from app.slack.cards.intervention import intervention_lines, rollback_lines
from app.slack.cards.progress import progress_lines
from app.slack.cards.state import CardState
from app.slack.cards.votes import deciding_votes, vote_reasons
from app.slack.text.answers import confirmed_lines
from app.slack.text.escape import inline, quoted
from app.slack.text.violations import mentions, rule_lines

ASKED_FIRST: Final = frozenset({CardState.ROLLING_BACK, CardState.ROLLBACK_FAILED, CardState.UNDO_REVERTING})
"""States in which a requested rollback matters more than where the traffic is."""

STAYS_ON_BLUE: Final = frozenset({"rejected", "expired", "withdrawn_by", "withdrawn_for_build"})
"""Decisions that leave production traffic on blue, unless somebody answered CodeDeploy otherwise."""


def decided_lines(view: GateView, state: CardState, texts: Texts) -> list[str]:
    """An approval by votes or checks is not among them: the context names who approved."""
    asked = [*intervention_lines(view, texts), *rollback_lines(view, texts)]
    moved = [live_health_line(view, texts), *progress_lines(view, texts)]
    return [
        *_delivery_problems(view, texts),
        *([*asked, *moved] if state in ASKED_FIRST else [*moved, *asked]),
        *_decision(view, texts),
        *_delivery(view, state, texts),
    ]


def reason_lines(view: GateView, texts: Texts) -> list[str]:
    """Why a gate was rejected, closed or approved by break-glass, and the rules that were overridden or
    would have held it."""
    lines = _reasons(view)
    if view.overridden_rules:
        rules = rule_lines(view.overridden_rules, texts=texts, tense="broken")
        title = texts("card.would_have_held" if view.basis is Basis.OBSERVE else "card.overridden")
        lines.append(f"*{title}*\n{rules}")
    return lines


def approval_lines(view: GateView, texts: Texts) -> list[str]:
    """Who approved, when, what they confirmed and why; empty if the gate was not approved by votes or checks."""
    if isinstance(view.gate, Awaiting) or view.gate.verdict is not Verdict.APPROVED:
        return []
    at = when(view.decided_at or view.opened_at)
    if view.basis is Basis.CHECKS:
        return [texts("card.decided.approved_by_checks", at=at)]
    if view.basis not in {Basis.VOTES, None}:
        return []
    votes = deciding_votes(view)
    who = mentions([vote.voter for vote in votes]) or _decider(view)
    approved = texts("card.decided.approved", who=who, at=at)
    return [approved, *confirmed_lines(votes, texts), *vote_reasons(votes)]


def _delivery_problems(view: GateView, texts: Texts) -> list[str]:
    """CodeDeploy does not have the decision."""
    detail = inline(view.outcome_detail or "")
    match view.outcome:
        case Outcome.CONFLICT:
            return [texts("card.outcome.contradicted", held=detail)]
        case Outcome.UNDELIVERABLE:
            return [texts("card.outcome.undeliverable", why=detail)]
        case None if isinstance(view.gate, Decided) and view.report_error:
            until = (view.switch.hook_started_at or view.opened_at) + HOOK_TIMEOUT
            return [texts("card.outcome.trouble", why=inline(view.report_error), until=clock(until))]
        case None | Outcome.ACKNOWLEDGED:
            return []
        case _:
            assert_never(view.outcome)


def _delivery(view: GateView, state: CardState, texts: Texts) -> list[str]:
    """What is still to happen before the decision has an effect."""
    if isinstance(view.gate, Decided):
        waits_for = "sending" if view.gate.verified else "unverified"
        return [] if view.report_error else [texts(f"card.outcome.{waits_for}")]
    return [texts("card.outcome.sent")] if state is CardState.APPROVED else []


def _decision(view: GateView, texts: Texts) -> list[str]:
    key = _decision_key(view)
    if key is None:
        return []
    text = texts(
        f"card.decided.{key}",
        who=mentions([vote.voter for vote in deciding_votes(view)]) or _decider(view),
        at=when(view.decided_at or view.opened_at),
        deadline=when(view.deadline_at),
        rolled_back=inline(view.switch.rollback_of or ""),
    )
    is_known = view.outcome in {None, Outcome.ACKNOWLEDGED}
    stays = key in STAYS_ON_BLUE and is_known and not is_let_through(view)
    return [f"{text} {texts('card.decided.on_blue')}" if stays else text]


def _decider(view: GateView) -> str:
    return mention(view.decided_by) if view.decided_by else inline(view.decided_name or "")


def _decision_key(view: GateView) -> str | None:
    """None where the context or nothing has to say how it was decided."""
    if isinstance(view.gate, Awaiting):
        return None
    if view.gate.verdict is Verdict.WITHDRAWN:
        return _withdrawal_key(view)
    if view.gate.verdict is Verdict.APPROVED:
        named = {Basis.AUTO_ROLLBACK, Basis.UNDO, Basis.BREAK_GLASS, Basis.OBSERVE}
        return view.basis.value if view.basis in named else None
    expired_elsewhere = view.gate.verdict is Verdict.EXPIRED and is_let_through_elsewhere(view)
    return "expired_elsewhere" if expired_elsewhere else view.gate.verdict.value


def _withdrawal_key(view: GateView) -> str:
    if is_withdrawn_for_build(view):
        return "withdrawn_for_build"
    if is_withdrawn_by_somebody(view):
        return "withdrawn_by"
    if not view.switch.verified:
        return "unconfirmed"
    return "answered_elsewhere" if is_let_through_elsewhere(view) else "withdrawn"


def _reasons(view: GateView) -> list[str]:
    """Of an approval by votes the context names them."""
    if _decision_key(view) in {None, "answered_elsewhere"}:
        return []
    deciders = deciding_votes(view)
    if len(deciders) > 1:
        return vote_reasons(deciders)
    return [quoted(view.reason)] if view.reason and view.reason != NO_REASON else []
