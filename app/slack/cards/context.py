"""The two small lines of a card: rollout, deadline and approvals above the buttons, ids below them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from app.flow.approval.rule_status import RuleStatus
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import CastVote, GateView
from app.flow.switch_progress import is_approved, is_let_through
from app.gate.decision import Verdict
from app.gate.rules.policy import Policy
from app.gate.rules.violations import Blocker
from app.gate.state_machine import Closed, Outcome
from app.gate.votes import Choice
from app.i18n.catalog import Texts
from app.slack.blocks import clock, mention, when
from app.slack.cards.decided import approval_lines
from app.slack.cards.votes import counting_votes, discounted_votes, vote_reasons
from app.slack.text.escape import inline
from app.slack.text.exclusivity import queue_lines
from app.slack.text.switch import deployment_link, ending_text, traffic_text
from app.slack.text.violations import mentions, rule_text

SEPARATOR: Final = " · "


def waiting_context(
    view: GateView,
    *,
    domain: OwnedDomain | None,
    rule_status: RuleStatus | None,
    closed_channels: Mapping[str, str],
    texts: Texts,
) -> list[str]:
    """How traffic moves and until when an answer is awaited; approvals so far; special rules."""
    rollout = traffic_text(view.switch.traffic, texts) if view.switch.verified else ""
    expires = texts("card.context.expires", deadline=clock(view.deadline_at))
    lines = [SEPARATOR.join(part for part in (rollout, expires) if part)]
    if domain is None:
        return lines
    return [
        *lines,
        *_approvals(view, domain.policy, rule_status, texts),
        *_special_rules(rule_status, texts),
        *_escalation_warning(domain, closed_channels, texts),
    ]


def decided_context(view: GateView, texts: Texts) -> list[str]:
    """How traffic moves, who approved, and what CodeDeploy acknowledged."""
    approved, *why = approval_lines(view, texts) or [""]
    moving = is_let_through(view) and view.switch.ended_at is None
    parts = [
        traffic_text(view.switch.traffic, texts) if moving and view.switch.traffic else "",
        approved,
        texts("card.context.sent", answer=inline(view.outcome_detail or ""))
        if view.outcome is Outcome.ACKNOWLEDGED
        else "",
        texts("card.context.ended", ending=ending_text(view.switch)) if _ended_unapproved(view) else "",
    ]
    return [SEPARATOR.join(part for part in parts if part), *why]


def _ended_unapproved(view: GateView) -> bool:
    """Whether the end of the deployment has to be told: a closed gate has it as its reason."""
    closed = isinstance(view.gate, Closed) and view.gate.verdict is Verdict.WITHDRAWN
    return view.switch.ended_at is not None and not is_approved(view) and not closed


def ids_text(view: GateView) -> str:
    """The deployment with its link, application and group."""
    switch = view.switch
    group = f"{inline(switch.application or '')} / {inline(switch.deployment_group or '')}"
    return SEPARATOR.join([deployment_link(view), *([group] if switch.application else [])])


def approver_lines(policy: Policy, *, texts: Texts) -> list[str]:
    """Who may decide: a line for each approver source."""
    return [
        mentions(source.people)
        if source.approvals == 1
        else texts("card.approvers", who=mentions(source.people), count=source.approvals)
        for source in policy.sources
    ]


def stale_group_lines(stale_groups: Sequence[tuple[str, datetime | None]], *, texts: Texts) -> list[str]:
    """A line for each group whose members could not be refreshed from Slack."""
    return [
        texts("card.group_old", group=mention(group), at=when(since))
        if since
        else texts("card.group_unknown", group=mention(group))
        for group, since in stale_groups
    ]


def approvals_required(policy: Policy, rule_status: RuleStatus | None) -> int:
    """Of all approver sources together."""
    return (
        rule_status.approvals_required if rule_status else sum(source.approvals for source in policy.sources)
    )


def _approvals(view: GateView, policy: Policy, rule_status: RuleStatus | None, texts: Texts) -> Iterator[str]:
    """The votes so far, and what is still missing; without votes, who may decide."""
    if not view.votes:
        who = "; ".join(approver_lines(rule_status.policy if rule_status else policy, texts=texts))
        yield texts("card.context.approvers", who=who)
        if policy.notify:
            yield texts("card.context.notify", who=mentions(policy.notify))
    approved = counting_votes(view, Choice.APPROVE, rule_status)
    rejected = counting_votes(view, Choice.REJECT, rule_status)
    if approved:
        need = approvals_required(policy, rule_status)
        yield texts("card.votes.approve", names=_names(approved), have=len(approved), need=need)
    if rejected:
        yield texts("card.votes.reject", names=_names(rejected))
    if gone := discounted_votes(view, rule_status):
        yield texts("card.votes.discounted", names=_names(gone))
    yield from vote_reasons([*approved, *rejected])
    yield from _missing(view, rule_status, texts)


def _names(votes: Sequence[CastVote]) -> str:
    return mentions([vote.voter for vote in votes])


def _missing(view: GateView, rule_status: RuleStatus | None, texts: Texts) -> Iterator[str]:
    """Approvals that are still needed, once anybody has voted or if one rule alone does not say it."""
    if rule_status is None:
        return
    owed = [rule for rule in rule_status.unmet if not isinstance(rule, Blocker)]
    if view.votes and not rule_status.unmet:
        yield texts("card.votes.enough")
    elif owed and (view.votes or len(owed) > 1):
        rules = SEPARATOR.join(rule_text(rule, texts=texts) for rule in owed)
        yield texts("card.context.owed", rules=rules)


def _special_rules(rule_status: RuleStatus | None, texts: Texts) -> list[str]:
    """The queue, the variants of the policy, and groups whose members may be outdated."""
    if rule_status is None:
        return []
    names = ", ".join(inline(name) for name in rule_status.variants)
    return [
        *queue_lines(rule_status, texts=texts),
        *([texts("card.variants", names=names)] if names else []),
        *stale_group_lines(rule_status.stale_groups, texts=texts),
    ]


def _escalation_warning(domain: OwnedDomain, closed: Mapping[str, str], texts: Texts) -> list[str]:
    """A warning that the escalation channel cannot be reached."""
    to = domain.policy.reminder_settings.escalate_to
    if to is None or to not in closed:
        return []
    return [texts("card.escalation_closed", channel=f"<#{to}>", why=inline(closed[to]))]
