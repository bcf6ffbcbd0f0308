"""The text of exclusivity: why a gate waits for another domain, its queue position, and the rules."""

from collections.abc import Sequence
from typing import Final, Literal, assert_never

from app.flow.approval.rule_status import RuleStatus
from app.gate.rules.exclusivity import Exclusivity
from app.gate.rules.violations import ExcludedBySwitch, PredecessorPending
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.text.escape import inline

Tense = Literal["unmet", "broken"]
"""`unmet`: the rule blocks now; `broken`: a decision overrode it."""

MAX_NAMES: Final = 10


def exclusivity_text(rule: ExcludedBySwitch | PredecessorPending, *, texts: Texts, tense: Tense) -> str:
    """The switch in progress, and this gate's queue position."""
    deployment = inline(rule.deployment)
    match rule:
        case ExcludedBySwitch():
            kind = "turn_switched" if rule.switched else "turn_switching"
            said = texts(
                f"rule.{tense}.{kind}", domain=rule.domain, deployment=deployment, since=when(rule.since)
            )
            return said if tense == "broken" else f"{said} {_place(rule, texts)}"
        case PredecessorPending():
            kind = "first_waits" if rule.waits else "first_moves"
            return texts(f"rule.{tense}.{kind}", domain=rule.domain, deployment=deployment)
        case _:
            assert_never(rule)


def queue_lines(rule_status: RuleStatus, *, texts: Texts) -> list[str]:
    """The queue on the card: who else waits, and which earlier switches failed."""
    lines = [
        texts(f"turn.not_followed.{one.failed_end}", domain=one.domain, deployment=inline(one.deployment))
        for one in rule_status.failed_predecessors
    ]
    on = any(isinstance(rule, ExcludedBySwitch) for rule in rule_status.unmet)
    if rule_status.queued_ahead and not on:
        lines.append(texts("turn.free", ahead=_names(rule_status.queued_ahead, texts)))
    return lines


def exclusivity_lines(exclusivity: Exclusivity, *, texts: Texts) -> list[str]:
    """The exclusivity rules, one line each."""
    lines = []
    if exclusivity.excludes:
        lines.append(texts("policy.exclusive", names=_names(exclusivity.excludes, texts)))
        lines.append(texts(f"policy.keeps_{exclusivity.exclusive_until}"))
    if exclusivity.after:
        lines.append(texts("policy.after", names=_names(exclusivity.after, texts)))
    return lines


def _place(rule: ExcludedBySwitch, texts: Texts) -> str:
    if not rule.ahead:
        return texts("turn.next")
    return texts("turn.line", place=len(rule.ahead) + 1, ahead=_names(rule.ahead, texts))


def _names(domains: Sequence[str], texts: Texts) -> str:
    shown = ", ".join(domains[:MAX_NAMES])
    if len(domains) > MAX_NAMES:
        return f"{shown}, {texts.plural('rule.more', count=len(domains) - MAX_NAMES)}"
    return shown
