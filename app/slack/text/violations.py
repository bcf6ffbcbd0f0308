"""The text of every unmet rule: while it blocks, and once it was overridden."""

from collections.abc import Callable, Sequence
from typing import Final, assert_never

from app.gate.rules.checks import CheckState
from app.gate.rules.traffic_guard import GuardRule
from app.gate.rules.violations import (
    ApprovalsRequired,
    CheckNotPassed,
    ExcludedBySwitch,
    ForeignTargetGroup,
    Frozen,
    GreenReceivesTraffic,
    GreenUnhealthy,
    MissingApproval,
    NotNamed,
    Outvoted,
    OwnSwitch,
    PredecessorPending,
    SecondApproverRequired,
    ShiftUnknown,
    Violation,
)
from app.i18n.catalog import Texts
from app.slack.blocks import Block, mention, section, when
from app.slack.text.escape import inline
from app.slack.text.evidence import code
from app.slack.text.exclusivity import Tense, exclusivity_text

MAX_TARGET_GROUPS: Final = 5
MAX_RULES_PER_SECTION: Final = 10
"""Slack's limit for one section is 3,000 characters."""


def mentions(people: Sequence[str]) -> str:
    """Users and user groups as Slack shows them."""
    return ", ".join(mention(entry) for entry in people)


def rule_sections(rules: Sequence[Violation], *, texts: Texts) -> list[Block]:
    """All rules, in sections within Slack's limits."""
    starts = range(0, len(rules), MAX_RULES_PER_SECTION)
    return [
        section(rule_lines(rules[start : start + MAX_RULES_PER_SECTION], texts=texts)) for start in starts
    ]


def rule_lines(
    rules: Sequence[Violation],
    *,
    texts: Texts,
    tense: Tense = "unmet",
    max_items: int = MAX_RULES_PER_SECTION,
) -> str:
    """One line a rule, each with a bullet; what does not fit is counted."""
    lines = [f"• {rule_text(rule, texts=texts, tense=tense)}" for rule in rules[:max_items]]
    if len(rules) > max_items:
        lines.append(f"• {texts.plural('rule.more', count=len(rules) - max_items)}")
    return "\n".join(lines)


def rule_text(
    rule: Violation,
    *,
    texts: Texts,
    tense: Tense = "unmet",
    who: Callable[[Sequence[str]], str] = mentions,
) -> str:
    """The sentence."""
    match rule:
        case ApprovalsRequired() | SecondApproverRequired() | Outvoted():
            return _owing(rule, texts=texts, tense=tense, who=who)
        case CheckNotPassed() | Frozen():
            return _condition_text(rule, texts=texts, tense=tense, who=who)
        case ExcludedBySwitch() | PredecessorPending():
            return exclusivity_text(rule, texts=texts, tense=tense)
        case GreenReceivesTraffic() | ForeignTargetGroup() | GreenUnhealthy():
            return _guarded(rule, texts=texts, tense=tense)
        case ShiftUnknown() | NotNamed() | OwnSwitch():
            return _plain(rule, texts=texts, tense=tense)
        case _:
            assert_never(rule)


def _owing(rule: MissingApproval, *, texts: Texts, tense: Tense, who: Callable[[Sequence[str]], str]) -> str:
    match rule:
        case ApprovalsRequired():
            return texts.plural(f"rule.{tense}.owed", count=rule.missing, who=who(rule.people))
        case SecondApproverRequired():
            return texts.plural(f"rule.{tense}.two_owed", count=rule.missing)
        case Outvoted():
            return texts.plural(f"rule.{tense}.outvoted", count=rule.against)
        case _:
            assert_never(rule)


def _condition_text(
    rule: CheckNotPassed | Frozen, *, texts: Texts, tense: Tense, who: Callable[[Sequence[str]], str]
) -> str:
    match rule:
        case CheckNotPassed(state=None):
            return texts(f"rule.{tense}.check_missing", name=inline(rule.name))
        case CheckNotPassed(state=CheckState.FAILED):
            return texts(f"rule.{tense}.check_failed", name=inline(rule.name))
        case CheckNotPassed():
            return texts(f"rule.{tense}.check_pending", name=inline(rule.name))
        case Frozen():
            by = author_text(rule.by, texts=texts, who=who)
            return texts(f"rule.{tense}.frozen", until=when(rule.until), reason=inline(rule.reason), by=by)
        case _:
            assert_never(rule)


def _guarded(rule: GuardRule, *, texts: Texts, tense: Tense) -> str:
    match rule:
        case GreenReceivesTraffic():
            return texts(f"rule.{tense}.green_serves", port=rule.port, percent=rule.percent)
        case ForeignTargetGroup():
            names = ", ".join(code(name) for name in rule.target_groups[:MAX_TARGET_GROUPS])
            return texts(f"rule.{tense}.traffic_elsewhere", port=rule.port, percent=rule.percent, names=names)
        case GreenUnhealthy():
            return texts(f"rule.{tense}.green_unhealthy", unhealthy=rule.unhealthy, total=rule.total)
        case _:
            assert_never(rule)


def author_text(by: str | None, *, texts: Texts, who: Callable[[Sequence[str]], str] = mentions) -> str:
    """The author: a person, an API client, or the configuration."""
    if by is None:
        return texts("rule.configuration")
    return inline(by) if ":" in by else who([by])


def _plain(rule: ShiftUnknown | NotNamed | OwnSwitch, *, texts: Texts, tense: Tense) -> str:
    match rule:
        case ShiftUnknown():
            return texts(f"rule.{tense}.shift_unknown")
        case NotNamed():
            return texts(f"rule.{tense}.not_named")
        case OwnSwitch():
            return texts(f"rule.{tense}.own")
        case _:
            assert_never(rule)
