"""The text of freezes: domains, time, reason, author."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from app.flow.freezes.lift_freeze import Lifted, LiftedFreeze
from app.flow.freezes.stored_freezes import ActiveFreeze, configured_freezes
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName
from app.gate.rules.freeze import Freeze, Span
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.text.escape import inline
from app.slack.text.truncation import named_list
from app.slack.text.violations import author_text

Domains = Sequence[DomainName] | None
"""None: all of them."""


def freeze_lines(
    freezes: Sequence[ActiveFreeze],
    *,
    rules: Rules,
    now: datetime,
    texts: Texts,
    planned: bool = True,
    of: Domains = None,
) -> list[str]:
    """A line for each freeze of the database and the configuration; `planned`: include future ones.

    Configured freezes only if in force, and only of the domains `of`.
    """
    shown = [each for each in freezes if planned or each.freeze.around(now) is not None]
    shown += configured_freezes(of, rules, now)
    return [f"• {of_domains(each, now=now, texts=texts)}" for each in shown]


def domains_text(domains: Domains, texts: Texts) -> str:
    """The domains that a freeze is about."""
    return (
        texts("freeze.all") if domains is None else named_list([f"*{name}*" for name in domains], texts=texts)
    )


def freeze_text(freeze: Freeze, *, now: datetime, texts: Texts) -> str:
    """One freeze, without its domains."""
    span = freeze.around(now) or (freeze.when if isinstance(freeze.when, Span) else None)
    by = author_text(freeze.by, texts=texts)
    if span is None:
        return texts("freeze.weekly", reason=inline(freeze.reason), by=by)
    return texts(
        "freeze.span", start=when(span.start), end=when(span.end), reason=inline(freeze.reason), by=by
    )


def span_text(start: datetime, end: datetime, *, zone: tzinfo, texts: Texts) -> str:
    """Start and end in full in the zone, for the author to compare."""
    name = getattr(zone, "key", "")
    shown = " / ".join(dict.fromkeys(_offset(at.astimezone(zone)) for at in (start, end)))
    return texts(
        "freeze.span_words",
        start=texts.moment(start, zone),
        end=texts.moment(end, zone),
        zone=shown if name in ("", "UTC") else f"{name}, {shown}",
        length=texts.duration(end - start),
    )


def _offset(at: datetime) -> str:
    digits = f"{at:%z}"
    return f"UTC{digits[:3]}:{digits[3:5]}" if at.utcoffset() else "UTC"


def of_domains(each: ActiveFreeze, *, now: datetime, texts: Texts) -> str:
    """One freeze with its domains."""
    return f"{domains_text(each.domains, texts)}: {freeze_text(each.freeze, now=now, texts=texts)}"


def lifted_text(lifted: Lifted, *, domains: Domains, now: datetime, texts: Texts) -> str:
    """The freezes that were lifted, and those that stay active."""
    lines = [line for each in lifted.lifted for line in _lifted_lines(each, now=now, texts=texts)]
    begun = [each for each in lifted.active if each.freeze.around(now) is not None]
    planned = [each for each in lifted.active if _is_to_come(each.freeze, now)]
    lines += [_stands(_goes_on(each.freeze), each, now=now, texts=texts) for each in begun]
    if planned and not begun:
        lines.append(texts("freeze.nothing_now", domains=domains_text(domains, texts)))
    lines += [_stands("freeze.stays_planned", each, now=now, texts=texts) for each in planned]
    return "\n".join(lines or [texts("freeze.nothing_to_lift")])


def _lifted_lines(each: LiftedFreeze, *, now: datetime, texts: Texts) -> Iterator[str]:
    words = freeze_text(each.freeze, now=now, texts=texts)
    yield texts("freeze.lifted", domains=domains_text(each.domains, texts), freeze=words)
    if each.others:
        key = "freeze.others_stay_planned" if _is_to_come(each.freeze, now) else "freeze.others_go_on"
        yield texts(key, domains=domains_text(each.others, texts))


def _stands(key: str, each: ActiveFreeze, *, now: datetime, texts: Texts) -> str:
    words = freeze_text(each.freeze, now=now, texts=texts)
    return texts(key, domains=domains_text(each.domains, texts), freeze=words)


def _goes_on(freeze: Freeze) -> str:
    return "freeze.goes_on_configured" if freeze.by is None else "freeze.goes_on"


def _is_to_come(freeze: Freeze, now: datetime) -> bool:
    return isinstance(freeze.when, Span) and freeze.when.start > now
