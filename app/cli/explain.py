"""`switchgate config explain DOMAIN`: the rules in words, for a terminal."""

from collections.abc import Sequence

from app.config.loader import Config, Domain
from app.config.tables.freezes import ConfiguredFreeze
from app.gate.rules.freeze import Span, Weekly, WeekTime
from app.i18n.catalog import LocaleName, Texts
from app.slack.text.policy import day_word, policy_lines


def explained(config: Config, domain: Domain, *, locale: LocaleName) -> str:
    """Ids are printed as they are: names are not known here."""
    texts = Texts.of(locale)
    lines = [texts("policy.title", domain=domain.name)]
    lines += policy_lines(domain.policy, texts=texts, who=_ids)
    lines += [
        texts(
            "policy.frozen_weekly" if isinstance(each.freeze.when, Weekly) else "policy.frozen_once",
            when=_when(each, texts),
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


def _when(configured: ConfiguredFreeze, texts: Texts) -> str:
    """In the time zone of the freeze, so that it can be compared with the file."""
    zone = configured.zone
    match configured.freeze.when:
        case Weekly(start=first, end=last):
            return f"{_week_time(first, texts)} – {_week_time(last, texts)} {zone.key}"
        case Span(start=start, end=end):
            shown = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (start, end))
            return f"{' – '.join(shown)} {zone.key}"


def _week_time(at: WeekTime, texts: Texts) -> str:
    return f"{day_word(at.day, texts)} {at.at:%H:%M}"
