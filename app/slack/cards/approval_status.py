"""The approval status on a card: votes, unmet rules, and the secondary buttons."""

from collections.abc import Sequence
from datetime import datetime

from app.flow.approval.rule_status import RuleStatus
from app.flow.read_models import CastVote, GateView
from app.gate.ids import UserId
from app.gate.rules.checks import PROBE
from app.gate.rules.policy import Policy
from app.gate.rules.violations import ApprovalsRequired
from app.gate.votes import NO_REASON, Choice
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, context, mention, section, when
from app.slack.cards.secondary_buttons import break_glass_button, retract_vote_button, run_checks_button
from app.slack.text.escape import inline, quoted
from app.slack.text.exclusivity import queue_lines
from app.slack.text.violations import mentions, rule_lines


def approval_status_blocks(
    view: GateView, *, policy: Policy, rule_status: RuleStatus | None, texts: Texts
) -> list[Block]:
    """Votes so far, and the unmet rules if anyone voted or one vote is not enough."""
    asked = (
        rule_status.approvals_required if rule_status else sum(source.approvals for source in policy.sources)
    )
    gone = rule_status.discounted_voters if rule_status else frozenset()
    votes = [_votes(view, choice, asked, gone, texts) for choice in Choice if _cast(view, choice)]
    if rule_status is None:
        return votes
    blocks = [*votes, *_out_of_reach(rule_status, texts=texts)]
    if rule_status.is_held or len(rule_status.unmet) > 1 or votes:
        blocks.append(section(_unmet_text(rule_status, texts=texts)))
    blocks += [context(line) for line in queue_lines(rule_status, texts=texts)]
    if rule_status.variants:
        names = ", ".join(inline(name) for name in rule_status.variants)
        blocks.append(context(texts("card.variants", names=names)))
    return [*blocks, *(context(line) for line in stale_group_lines(rule_status.stale_groups, texts=texts))]


def stale_group_lines(stale_groups: Sequence[tuple[str, datetime | None]], *, texts: Texts) -> list[str]:
    """A line for each group whose members could not be refreshed from Slack."""
    return [
        texts("card.group_old", group=mention(group), at=when(since))
        if since
        else texts("card.group_unknown", group=mention(group))
        for group, since in stale_groups
    ]


def secondary_buttons(view: GateView, *, rule_status: RuleStatus | None, texts: Texts) -> list[Block]:
    """Retract vote if there is a vote, Run checks if there is a probe, Break glass if a rule blocks everybody."""
    action_value = ActionValue(gate=view.id, prompt_version=view.prompt_version)
    found = [retract_vote_button(action_value, texts=texts)] if view.votes else []
    if any(check.by == PROBE for check in view.checks):
        found.append(run_checks_button(action_value, texts=texts))
    around = rule_status is not None and (rule_status.is_held or bool(rule_status.unreachable_approvals))
    return [*found, break_glass_button(action_value, texts=texts)] if around else found


def overridden_rule_blocks(view: GateView, *, texts: Texts) -> list[Block]:
    """The rules that a break-glass approval overrode; empty for any other decision."""
    if not view.overridden_rules:
        return []
    lines = rule_lines(view.overridden_rules, texts=texts, tense="broken")
    return [section(f"*{texts('card.broken')}*\n{lines}")]


def approver_lines(policy: Policy, *, texts: Texts) -> list[str]:
    """Who may decide: a line for each approver source."""
    return [
        mentions(source.people)
        if source.approvals == 1
        else texts("card.approvers", who=mentions(source.people), count=source.approvals)
        for source in policy.sources
    ]


def reason_lines(votes: Sequence[CastVote]) -> list[str]:
    """The reasons that voters gave, with name and time."""
    return [
        f"{mention(vote.voter)} {when(vote.at)}\n{quoted(vote.reason, max_chars=200, lines=2)}"
        for vote in votes
        if vote.reason.strip() and vote.reason != NO_REASON
    ]


def _unmet_text(rule_status: RuleStatus, *, texts: Texts) -> str:
    if (
        not rule_status.unmet
    ):  # a rule was relaxed after the last vote, for example because the deployer became known
        return texts("card.votes.enough")
    title = texts("card.held" if rule_status.is_held else "card.owed")
    return f"*{title}*\n{rule_lines(rule_status.unmet, texts=texts)}"


def _cast(view: GateView, choice: Choice) -> list[CastVote]:
    return [vote for vote in view.votes if vote.choice is choice]


def _votes(view: GateView, choice: Choice, asked: int, gone: frozenset[UserId], texts: Texts) -> Block:
    cast = _cast(view, choice)
    counting = [vote for vote in cast if vote.voter not in gone]
    names = mentions([vote.voter for vote in counting]) or "—"
    lines = [texts(f"card.votes.{choice}", names=names, have=len(counting), need=asked)]
    if len(counting) < len(cast):
        left = mentions([vote.voter for vote in cast if vote.voter in gone])
        lines.append(texts("card.votes.discounted", names=left))
    return section("\n".join([*lines, *reason_lines(counting)]))


def _out_of_reach(rule_status: RuleStatus, *, texts: Texts) -> list[Block]:
    if not rule_status.unreachable_approvals:
        return []
    lines = [
        texts.plural("card.out_of_reach.owed", count=rule.missing, who=mentions(rule.people))
        if isinstance(rule, ApprovalsRequired)
        else texts("card.out_of_reach.two")
        for rule in rule_status.unreachable_approvals
    ]
    return [section("\n".join([texts("card.out_of_reach.title"), *(f"• {line}" for line in lines)]))]
