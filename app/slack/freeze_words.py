"""Freezes in words: which domains, until when, why, and who says so."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.flow.declare_freeze import StandingFreeze
from app.flow.rules_port import Rules
from app.gate.freeze import Freeze, Span
from app.gate.ids import DomainName
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.outside import inline
from app.slack.rule_words import teller

Domains = Sequence[DomainName] | None
"""None: all of them."""


def freeze_lines(
    standing: Sequence[StandingFreeze],
    *,
    rules: Rules,
    now: datetime,
    texts: Texts,
    planned: bool = True,
) -> list[str]:
    """A line for each freeze of the record and the configuration; `planned`: also those that are yet to come.

    Of the configuration only those in force are told.
    """
    found: list[tuple[Freeze, Domains]] = [
        (each.freeze, each.domains) for each in standing if planned or each.freeze.around(now) is not None
    ]
    found += _configured(rules, now)
    return [_line(freeze, domains, now=now, texts=texts) for freeze, domains in found]


def domains_words(domains: Domains, texts: Texts) -> str:
    """The domains that a freeze is about."""
    return texts("freeze.all") if domains is None else ", ".join(f"*{name}*" for name in domains)


def freeze_words(freeze: Freeze, *, now: datetime, texts: Texts) -> str:
    """One freeze, without its domains."""
    span = freeze.around(now) or (freeze.when if isinstance(freeze.when, Span) else None)
    by = teller(freeze.by, texts=texts)
    if span is None:
        return texts("freeze.weekly", reason=inline(freeze.reason), by=by)
    return texts(
        "freeze.span", start=when(span.start), end=when(span.end), reason=inline(freeze.reason), by=by
    )


def _configured(rules: Rules, now: datetime) -> Iterator[tuple[Freeze, Domains]]:
    names = rules.domain_names()
    of: dict[Freeze, list[DomainName]] = {}
    for name in names:
        for freeze in rules.freezes(name):
            if freeze.around(now) is not None:
                of.setdefault(freeze, []).append(name)
    for freeze, named in of.items():
        yield freeze, None if len(named) == len(names) else named


def _line(freeze: Freeze, domains: Domains, *, now: datetime, texts: Texts) -> str:
    return f"• {domains_words(domains, texts)}: {freeze_words(freeze, now=now, texts=texts)}"
