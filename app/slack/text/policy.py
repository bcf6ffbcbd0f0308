"""The text of a policy: approvers, required checks, and overrides by time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from app.gate.rules.evaluation import EffectivePolicy
from app.gate.rules.policy import DailyHours, Policy, ReasonFor, RejectBy, UnknownDeployer, Variant
from app.i18n.catalog import Texts
from app.slack.text.escape import inline
from app.slack.text.exclusivity import exclusivity_lines
from app.slack.text.violations import mentions

Who = Callable[[Sequence[str]], str]

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def policy_lines(policy: Policy, *, texts: Texts, who: Who = mentions) -> list[str]:
    """The default rules, one line each, then the overrides with their times."""
    lines = _rules(policy, texts, who)
    for variant in policy.variants:
        changed = _changed(policy, variant, texts, who)
        key = "policy.variant" if changed else "policy.variant_same"
        lines.append(texts(key, name=variant.name, when=_when(variant, texts)))
        lines += [f"   {line}" for line in changed]
    return lines


def in_force_lines(rules: EffectivePolicy, *, texts: Texts, who: Who = mentions) -> list[str]:
    """The rules in force now."""
    lines = _rules(rules.policy, texts, who)
    if rules.variants:
        lines.append(texts("policy.in_force", names=", ".join(rules.variants)))
    return lines


def day_word(day: int, texts: Texts) -> str:
    """A day of the week; 0 is Monday."""
    return texts(f"policy.day_{DAYS[day]}")


def _rules(policy: Policy, texts: Texts, who: Who) -> list[str]:
    lines = [*([texts("policy.observes")] if policy.observe else []), *_owing(policy, texts, who)]
    lines.append(texts("policy.own_allowed" if policy.own_deployment else "policy.own_refused"))
    if not policy.own_deployment:
        two = policy.unknown_deployer is UnknownDeployer.ASK_TWO
        lines.append(texts("policy.unknown_two" if two else "policy.unknown_allowed"))
    one = policy.reject is RejectBy.ONE
    lines.append(texts("policy.reject_one" if one else "policy.reject_majority"))
    lines.append(texts(f"policy.reason_{_REASONS[policy.reason]}"))
    lines += _by_checks(policy, texts)
    lines += _questions(policy, texts)
    lines += exclusivity_lines(policy.exclusivity, texts=texts)
    minutes = int(policy.deadline.total_seconds() // 60)
    lines.append(texts("policy.deadline", minutes=minutes))
    return [*lines, texts("policy.notify", who=who(policy.notify))] if policy.notify else lines


def _owing(policy: Policy, texts: Texts, who: Who) -> list[str]:
    owing = [source for source in policy.sources if source.approvals]
    return [
        texts.plural(
            "policy.source_too" if place else "policy.source", count=source.approvals, who=who(source.people)
        )
        for place, source in enumerate(owing)
    ]


def _by_checks(policy: Policy, texts: Texts) -> list[str]:
    names = ", ".join(f"“{name}”" for name in policy.required_checks)
    lines = [texts("policy.checks", names=names)] if names else []
    return [*lines, texts("policy.approves_itself")] if policy.approve_when_checks_pass else lines


def _questions(policy: Policy, texts: Texts) -> list[str]:
    """What every approver is asked, a line each."""
    return [
        texts("policy.asks" if each.required else "policy.asks_optional", question=inline(each.text))
        for each in policy.questions
    ]


_REASONS: Final = {ReasonFor.ALWAYS: "always", ReasonFor.REJECT: "reject", ReasonFor.NEVER: "never"}


def _changed(policy: Policy, variant: Variant, texts: Texts, who: Who) -> list[str]:
    """Lines that an override changes, and lines that it removes."""
    usual = set(_rules(policy, texts, who))
    laid = replace(policy, variants=(), **variant.changes.given())
    others = [line for line in _rules(laid, texts, who) if line not in usual]
    return [*others, *(texts("policy.gone", rule=line) for line in _gone(policy, laid, texts, who))]


def _gone(policy: Policy, laid: Policy, texts: Texts, who: Who) -> list[str]:
    """Default rules that `laid` removes without a replacement."""
    kept = _owing(laid, texts, who)
    gone = [line for line in _owing(policy, texts, who)[1:] if line not in kept]
    asks_two = policy.unknown_deployer is UnknownDeployer.ASK_TWO and not policy.own_deployment
    if asks_two and laid.own_deployment:
        gone.append(texts("policy.unknown_two"))
    if policy.questions and not laid.questions:
        gone += _questions(policy, texts)
    if policy.required_checks and not laid.required_checks:
        return gone + _by_checks(policy, texts)
    if policy.approve_when_checks_pass and not laid.approve_when_checks_pass:
        gone.append(texts("policy.approves_itself"))
    return gone


def _when(variant: Variant, texts: Texts) -> str:
    parts = [_hours(variant.hours, texts)] if variant.hours else []
    if variant.shifts:
        parts.append(", ".join(texts(f"policy.shift_{shift}") for shift in sorted(variant.shifts)))
    return "; ".join(parts)


def _hours(hours: DailyHours, texts: Texts) -> str:
    days = ", ".join(day_word(day, texts) for day in sorted(hours.days))
    every = len(hours.days) == len(DAYS)
    return texts(
        "policy.hours_daily" if every else "policy.hours",
        days=days,
        start=f"{hours.start:%H:%M}",
        end=f"{hours.end:%H:%M}" if hours.end != hours.start else "24:00",
        zone=hours.zone.key,
    )
