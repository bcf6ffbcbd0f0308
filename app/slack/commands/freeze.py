"""`/deploys freeze …`, `unfreeze …` and `freezes`: declares, lifts and lists freezes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from app.config.reserved_words import ALL_DOMAINS
from app.flow.audit_events import person_actor
from app.flow.freezes.declare_freeze import (
    MAX_REASON_CHARS,
    Declared,
    EndsBeforeStart,
    EndsInThePast,
    FreezeReasonMissing,
    TooLong,
    declare_freeze,
)
from app.flow.freezes.lift_freeze import lift_freezes
from app.flow.freezes.stored_freezes import (
    ActiveFreeze,
    Declaration,
    FreezeRepository,
    InvalidFreeze,
    UnknownDomains,
    check_may_freeze,
)
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName
from app.gate.rules.denials import AlreadyHandled, Denial, NotAMember, NotAnAdmin
from app.gate.rules.freeze import Freeze
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.commands.local_times import zone_named
from app.slack.commands.time_errors import (
    ClockMissing,
    DayUnclear,
    GivenTwice,
    InvalidTime,
    MayBelongToTime,
    NoEnd,
    NoSuchLocalTime,
    NotATime,
    StartOrEnd,
    ZoneUnknown,
)
from app.slack.commands.time_parsing import TimeSpan, read_span
from app.slack.commands.time_words import begins_time
from app.slack.text.escape import inline
from app.slack.text.freezes import domains_text, freeze_lines, lifted_text, of_domains, span_text
from app.slack.text.suggestions import named_domains, unknown_names_text
from app.slack.text.violations import mentions
from app.slack.users.accounts import Profile
from app.workers.wakeups import Wakeups

_DENIAL_KEYS: Final[dict[type[Denial], str]] = {
    EndsBeforeStart: "freeze.ends_before_start",
    EndsInThePast: "freeze.ends_in_the_past",
    TooLong: "freeze.too_long",
    FreezeReasonMissing: "freeze.says_nothing",
}


_TIME_ERROR_KEYS: Final[dict[type[InvalidTime], str]] = {
    NoEnd: "freeze.how_to",
    StartOrEnd: "freeze.start_or_end",
    GivenTwice: "freeze.said_twice",
    NotATime: "freeze.not_a_time",
    ClockMissing: "freeze.clock_missing",
    MayBelongToTime: "freeze.may_belong_to_time",
    NoSuchLocalTime: "freeze.no_such_local_time",
    DayUnclear: "freeze.day_unclear",
    ZoneUnknown: "freeze.zone_unknown",
}


class FreezeQueries(FreezeRepository, Protocol):
    async def active(self) -> Sequence[ActiveFreeze]: ...


class _NotUnderstood(Exception):
    """The message is the text to show."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _ParsedFreeze:
    domains: tuple[DomainName, ...] | None
    span: TimeSpan


class FreezeCommand:
    """Handles the freeze subcommands. Replies are ephemeral."""

    def __init__(
        self,
        *,
        repository: FreezeQueries,
        rules: Rules,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._rules = rules
        self._wakeups = wakeups
        self._clock = clock

    async def freeze(self, words: Sequence[str], *, profile: Profile, texts: Texts, request: str) -> str:
        """`freeze order until 18:00 payment incident`"""
        now = self._clock()
        try:
            check_may_freeze(profile.person, rules=self._rules)
            asked = self._read(words, now=now, zone=zone_named(profile.zone), texts=texts)
            declared = await declare_freeze(
                Declaration(
                    domains=asked.domains,
                    start=asked.span.start,
                    end=asked.span.end,
                    reason=asked.span.reason[:MAX_REASON_CHARS],
                    by=profile.person.user,
                ),
                who=person_actor(profile.person.user, profile.person.name),
                repository=self._repository,
                rules=self._rules,
                now=now,
                request=request,
            )
        except _NotUnderstood as exc:
            return str(exc)
        except Denial as exc:
            return self._denial_text(exc, texts)
        self._wakeups.notify("freeze_changed")
        return _declared_text(declared, span=asked.span, now=now, texts=texts)

    async def unfreeze(self, words: Sequence[str], *, profile: Profile, texts: Texts, request: str) -> str:
        """`unfreeze order`, `unfreeze all`"""
        try:
            check_may_freeze(profile.person, rules=self._rules)
            domains, rest = self._targets(words)
            if rest or (domains is not None and not domains):
                return texts("freeze.how_to_lift")
            lifted = await lift_freezes(
                domains,
                who=person_actor(profile.person.user, profile.person.name),
                repository=self._repository,
                rules=self._rules,
                now=self._clock(),
                request=request,
            )
        except Denial as exc:
            return self._denial_text(exc, texts)
        self._wakeups.notify("freeze_changed")
        return lifted_text(lifted, domains=domains, now=self._clock(), texts=texts)

    async def freezes(self, words: Sequence[str], *, texts: Texts) -> str:
        """`freezes`, `freezes order`: lists active and planned freezes, with those of the configuration."""
        wanted = set(named_domains(words))
        unknown = [name for name in wanted if self._rules.domain(name) is None]
        if unknown:
            names = unknown_names_text(sorted(unknown), rules=self._rules, texts=texts)
            return texts("policy.unknown", names=names)
        active = await self._repository.active()
        lines = freeze_lines(
            [each for each in active if not wanted or each.domains is None or wanted & set(each.domains)],
            rules=self._rules,
            now=self._clock(),
            texts=texts,
            of=sorted(wanted) or None,
        )
        return "\n".join([f"*{texts('freeze.title')}*", *(lines or [texts("freeze.none")])])

    async def of(self, domain: DomainName) -> tuple[Freeze, ...]:
        """One domain's freezes, in force or not, of the configuration and the database."""
        active = await self._repository.active()
        own = [each.freeze for each in active if each.domains is None or domain in each.domains]
        return (*self._rules.freezes(domain), *own)

    def _targets(self, words: Sequence[str]) -> tuple[tuple[DomainName, ...] | None, Sequence[str]]:
        """The domains before the first word of a time (None: all), and the rest."""
        times = (place for place, word in enumerate(words) if self._begins_time(word))
        count = next(times, len(words))
        named = named_domains(words[:count])
        return None if len(named) == 1 and named[0] in ALL_DOMAINS else named, words[count:]

    def _begins_time(self, word: str) -> bool:
        return begins_time(word) and not all(map(self._rules.domain, named_domains([word])))

    def _read(
        self, words: Sequence[str], *, now: datetime, zone: ZoneInfo | None, texts: Texts
    ) -> _ParsedFreeze:
        domains, rest = self._targets(words)
        if domains is not None and not domains:
            raise _NotUnderstood(texts("freeze.how_to"))
        try:
            span = read_span(" ".join(rest), now=now, zone=zone)
        except InvalidTime as exc:
            key = _TIME_ERROR_KEYS[type(exc)]
            raise _NotUnderstood(texts(key, words=inline(exc.words, max_chars=60))) from None
        return _ParsedFreeze(domains=domains, span=span)

    def _denial_text(self, denial: Denial, texts: Texts) -> str:
        if isinstance(denial, UnknownDomains):
            names = unknown_names_text(denial.names, rules=self._rules, texts=texts)
            return texts("freeze.unknown_domains", names=names)
        if isinstance(denial, NotAnAdmin):
            return texts("freeze.not_an_admin", who=mentions(self._rules.admins) or "—")
        if isinstance(denial, AlreadyHandled):
            return texts("refused.already_handled")
        if isinstance(denial, NotAMember):
            return texts("refused.not_a_member")
        if not isinstance(denial, InvalidFreeze):
            raise denial
        return texts(_DENIAL_KEYS[type(denial)])


def _declared_text(declared: Declared, *, span: TimeSpan, now: datetime, texts: Texts) -> str:
    asked = declared.declaration
    key = "freeze.declared" if asked.start <= now else "freeze.planned"
    said = texts(
        key,
        domains=domains_text(asked.domains, texts),
        start=when(asked.start),
        end=when(asked.end),
        reason=inline(asked.reason),
    )
    related = [f"• {of_domains(each, now=now, texts=texts)}" for each in declared.overlapping[:5]]
    lines = [said, span_text(span.start, span.end, zone=span.zone, texts=texts)]
    return "\n".join([*lines, texts("freeze.beside"), *related] if related else lines)
