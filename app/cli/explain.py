"""`switchgate config explain DOMAIN`: the rules in words, for a terminal."""

from collections.abc import Sequence
from datetime import datetime

from app.domains import Config, Domain
from app.gate.freeze import Freeze, Span, Weekly
from app.i18n.catalog import LocaleName, Texts
from app.slack.policy_words import DAYS, policy_lines


def explained(config: Config, domain: Domain, *, locale: LocaleName) -> str:
    """Ids stand as they are: a terminal shows no names for them."""
    texts = Texts.of(locale)
    lines = [texts("policy.title", domain=domain.name)]
    lines += policy_lines(domain.policy, texts=texts, who=_ids)
    lines += [
        texts(
            "policy.frozen_weekly" if isinstance(each.freeze.when, Weekly) else "policy.frozen_once",
            when=_when(each.freeze),
            reason=each.freeze.reason,
        )
        for each in config.freezes
        if each.domains is None or domain.name in each.domains
    ]
    if domain.probes:
        names = ", ".join(f"“{probe.name}”" for probe in domain.probes)
        lines.append(texts("policy.probes", names=names))
    return "\n".join([*lines, texts("policy.admins", who=_ids(config.admins) or "—")])


def _ids(people: Sequence[str]) -> str:
    return ", ".join(people)


def _when(freeze: Freeze) -> str:
    match freeze.when:
        case Weekly(start=start, end=end, zone=zone):
            first, last = (f"{DAYS[each.day]} {each.at:%H:%M}" for each in (start, end))
            return f"{first} – {last} {zone.key}"
        case Span(start=start, end=end):
            return f"{_iso(start)} – {_iso(end)}"


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="minutes")
