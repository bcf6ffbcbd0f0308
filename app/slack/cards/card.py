"""Renders a gate as a card. The same gate always gives the same card."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, assert_never

from app.flow.approval.rule_status import RuleStatus
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import CastVote, GateView
from app.flow.switch_progress import is_approved, is_let_through, is_let_through_elsewhere, progress_of
from app.gate.decision import Verdict
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting, Closed, Decided, Outcome, Reported
from app.gate.undo import Progress
from app.gate.votes import NO_REASON, Choice
from app.i18n.catalog import Texts
from app.slack.blocks import Block, context, fields, header, mention, section, when
from app.slack.cards.approval_status import (
    approval_status_blocks,
    approver_lines,
    overridden_rule_blocks,
    reason_lines,
)
from app.slack.cards.checks import check_blocks, split_check_blocks
from app.slack.cards.decision_buttons import decision_buttons
from app.slack.cards.evidence import evidence_blocks
from app.slack.cards.progress import (
    is_being_undone,
    is_undone,
    progress_blocks,
    progress_buttons,
)
from app.slack.text.escape import inline, quoted
from app.slack.text.switch import (
    BASIS_KEYS,
    creator,
    deployment_link,
    domain_name,
    ending_text,
    traffic_text,
)
from app.slack.text.undo_options import undo_warnings

MAX_REASONS: Final = 10
NONE_CLOSED: Final[Mapping[str, str]] = MappingProxyType({})
STAGES: Final = {Progress.SWITCHED: "switched", Progress.FINISHED: "finished", Progress.ENDED: "failed"}
STAGES_OF_AN_UNDO: Final = {
    Progress.HELD: "undoing",
    Progress.SHIFTING: "undoing",
    Progress.SWITCHED: "undone",
    Progress.FINISHED: "undone",
    Progress.ENDED: "failed",
}
"""For an undo: green runs the previous version, and the text must not call it new."""


def card_blocks(
    view: GateView,
    *,
    texts: Texts,
    domain: OwnedDomain | None,
    rule_status: RuleStatus | None = None,
    closed_channels: Mapping[str, str] = NONE_CLOSED,
) -> list[Block]:
    """The card's blocks. `domain` is None while the gate is unverified or its domain is no longer configured.

    `rule_status`: the rules as they apply now; None once the gate is decided. `closed_channels`: those in which
    Slack refuses messages, with its reason.
    """
    blocks = [header(texts(f"card.header.{_stage(view)}", domain=domain_name(view, texts)))]
    if isinstance(view.gate, Awaiting):
        blocks += _waiting(view, texts=texts, domain=domain, rule_status=rule_status)
        blocks += _escalation_warning(domain, closed_channels, texts)
    else:
        blocks += _ended(view, texts=texts, domain=domain)
    return blocks


def _escalation_warning(domain: OwnedDomain | None, closed: Mapping[str, str], texts: Texts) -> list[Block]:
    """A warning that the escalation channel cannot be reached."""
    to = domain.policy.reminder_settings.escalate_to if domain else None
    if to is None or to not in closed:
        return []
    return [context(texts("card.escalation_closed", channel=f"<#{to}>", why=inline(closed[to])))]


def card_sentence(view: GateView, *, texts: Texts) -> str:
    """The message's text: what a notification or a screen reader says."""
    return texts(
        f"card.text.{_stage(view)}",
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
            if verdict is Verdict.WITHDRAWN and not view.switch.verified:
                return "unconfirmed"
            if verdict is Verdict.WITHDRAWN and is_let_through_elsewhere(view):
                return "answered_elsewhere"
            return BASIS_KEYS.get(view.basis, verdict.value) if view.basis else verdict.value
        case _:
            assert_never(view.gate)


def _stage(view: GateView) -> str:
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


def _waiting(
    view: GateView, *, texts: Texts, domain: OwnedDomain | None, rule_status: RuleStatus | None
) -> list[Block]:
    facts = _facts(view, texts) + [
        (texts("card.field.deadline"), when(view.deadline_at)),
        (texts("card.field.who"), _approvers(domain, rule_status, texts)),
    ]
    wrong, checks = split_check_blocks(view, texts=texts)
    blocks = [fields(facts), *wrong, *evidence_blocks(view, texts=texts)]
    blocks += [*map(section, undo_warnings(view, texts)), *_description(view, texts)]
    if not view.switch.verified:
        return [*blocks, section(texts("card.unverified"))]
    if domain is None:
        return [*blocks, section(texts("card.unconfigured"))]
    blocks += checks
    blocks += approval_status_blocks(view, policy=domain.policy, rule_status=rule_status, texts=texts)
    buttons = decision_buttons(view, texts=texts, block_id=f"decide.{view.version}", rule_status=rule_status)
    return [*blocks, buttons, context(texts("card.no_answer_is_no"))]


def _ended(view: GateView, *, texts: Texts, domain: OwnedDomain | None) -> list[Block]:
    blocks = [section(_decision_text(view, texts)), *overridden_rule_blocks(view, texts=texts)]
    blocks += [section(why) for why in _reasons(view)]
    blocks.append(section(_outcome_text(view, texts)))
    blocks += check_blocks(view, texts=texts)
    blocks += progress_blocks(view, texts=texts)
    buttons = progress_buttons(view, texts=texts, domain=domain)
    seen = evidence_blocks(view, texts=texts)
    return [*blocks, fields(_facts(view, texts)), *seen, *_description(view, texts), *buttons]


def _deciders(view: GateView) -> list[CastVote]:
    """The votes that decided. Approvals before a rejection or a break-glass approval are not among them."""
    if not isinstance(view.gate, Awaiting) and view.gate.verdict is Verdict.REJECTED:
        return [vote for vote in view.votes if vote.choice is Choice.REJECT and vote.counted]
    by_votes = view.votes if view.basis is Basis.VOTES else ()
    return [vote for vote in by_votes if vote.choice is Choice.APPROVE and vote.counted]


def _reasons(view: GateView) -> list[str]:
    """The reasons of the decision: one, or several for a joint rejection."""
    if _state(view) == "answered_elsewhere":
        return []
    deciders = _deciders(view)
    if len(deciders) > 1 and deciders[0].choice is Choice.REJECT:
        return reason_lines(deciders)[:MAX_REASONS]
    return [quoted(view.reason)] if view.reason and view.reason != NO_REASON else []


def _decision_text(view: GateView, texts: Texts) -> str:
    voters = ", ".join(mention(vote.voter) for vote in _deciders(view))
    state = _state(view)
    if state == Verdict.EXPIRED and is_let_through_elsewhere(view):
        state = "expired_elsewhere"
    return texts(
        "card.decided.undo" if view.basis is Basis.UNDO else f"card.decided.{state}",
        who=voters or mention(view.decided_by or ""),
        at=when(view.decided_at or view.opened_at),
        deadline=when(view.deadline_at),
        rolled_back=inline(view.switch.rollback_of or "") if view.switch.rollback_of else "—",
    )


def _outcome_text(view: GateView, texts: Texts) -> str:
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


def _facts(view: GateView, texts: Texts) -> list[tuple[str, str]]:
    switch = view.switch
    facts = [(texts("card.field.deployment"), deployment_link(view))]
    if switch.application:
        both = f"{inline(switch.application)} / {inline(switch.deployment_group or '')}"
        facts.append((texts("card.field.group"), both))
        facts.append((texts("card.field.creator"), creator(view)))
        facts.append((texts("card.field.traffic"), traffic_text(switch.traffic, texts)))
    if switch.listener_port:
        facts.append((texts("card.field.port"), str(switch.listener_port)))
    asked = "opened" if isinstance(view.gate, Awaiting) else "asked"
    facts.append((texts(f"card.field.{asked}"), when(view.opened_at)))
    return facts


def _description(view: GateView, texts: Texts) -> Sequence[Block]:
    text = quoted(view.switch.description or "")
    return [section(f"*{texts('card.field.description')}*\n{text}")] if text else []


def _approvers(domain: OwnedDomain | None, rule_status: RuleStatus | None, texts: Texts) -> str:
    if domain is None:
        return texts("card.nobody_yet")
    return "\n".join(approver_lines(rule_status.policy if rule_status else domain.policy, texts=texts))
