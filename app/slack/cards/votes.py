"""The votes of a gate, as a card counts and names them."""

from collections.abc import Sequence
from typing import Final

from app.flow.approval.rule_status import RuleStatus
from app.flow.read_models import CastVote, GateView
from app.gate.decision import Verdict
from app.gate.ids import UserId
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting
from app.gate.votes import NO_REASON, Choice
from app.slack.blocks import mention
from app.slack.text.escape import inline

MAX_REASONS: Final = 10
MAX_REASON_CHARS: Final = 200


def counting_votes(view: GateView, choice: Choice, rule_status: RuleStatus | None) -> list[CastVote]:
    """Those that count now: a voter may have lost the right to approve."""
    gone = _discounted(rule_status)
    return [vote for vote in view.votes if vote.choice is choice and vote.voter not in gone]


def discounted_votes(view: GateView, rule_status: RuleStatus | None) -> list[CastVote]:
    """Those that do not count any more."""
    gone = _discounted(rule_status)
    return [vote for vote in view.votes if vote.voter in gone]


def deciding_votes(view: GateView) -> list[CastVote]:
    """The votes that decided. Approvals before a rejection or a break-glass approval are not among them."""
    if not isinstance(view.gate, Awaiting) and view.gate.verdict is Verdict.REJECTED:
        return [vote for vote in view.votes if vote.choice is Choice.REJECT and vote.counted]
    by_votes = view.votes if view.basis is Basis.VOTES else ()
    return [vote for vote in by_votes if vote.choice is Choice.APPROVE and vote.counted]


def vote_reasons(votes: Sequence[CastVote]) -> list[str]:
    """The reasons that voters gave, one line each."""
    given = [vote for vote in votes if vote.reason.strip() and vote.reason != NO_REASON]
    return [
        f"{mention(vote.voter)}: “{inline(vote.reason, max_chars=MAX_REASON_CHARS)}”"
        for vote in given[:MAX_REASONS]
    ]


def _discounted(rule_status: RuleStatus | None) -> frozenset[UserId]:
    return rule_status.discounted_voters if rule_status else frozenset()
