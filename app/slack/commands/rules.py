"""`/deploys who order` and `/deploys rules order`: the approvers and rules of a domain, and its freezes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from app.concurrency.timeouts import run_with_timeout
from app.config.reserved_words import CHANGES
from app.flow.ports.database import DatabaseUnavailable
from app.flow.ports.rules import OwnedDomain, Rules
from app.gate.rules.evaluation import active_freezes, effective_policy
from app.i18n.catalog import Texts
from app.slack.blocks import mention
from app.slack.cards.context import stale_group_lines
from app.slack.commands.freeze import FreezeCommand
from app.slack.handlers.save_errors import save_error_text
from app.slack.text.escape import inline
from app.slack.text.policy import in_force_lines, policy_lines
from app.slack.text.suggestions import named_domains, unknown_names_text
from app.slack.text.violations import mentions, rule_text
from app.slack.users.accounts import Profile

MAX_MEMBERS: Final = 30
QUERY_TIMEOUT_SECONDS: Final = 1.0
"""The rules are configuration, so they are shown also without the database."""


def rules_unavailable_text(verb: str, exc: Exception, *, texts: Texts) -> str:
    """The text for one of `VERBS` while the database does not answer."""
    if verb in CHANGES:
        return save_error_text(exc, texts=texts, about="freeze")
    return texts("freeze.unread")


class RulesCommand:
    """Handles the rule subcommands of `/deploys`. Replies are ephemeral."""

    def __init__(self, *, freezes: FreezeCommand, rules: Rules, clock: Callable[[], datetime]) -> None:
        self._freezes = freezes
        self._rules = rules
        self._clock = clock

    async def answer(
        self, verb: str, rest: Sequence[str], *, profile: Profile, texts: Texts, request: str
    ) -> str:
        """`verb` is one of `VERBS`; `request`: see `request_key`."""
        match verb:
            case "freeze":
                return await self._freezes.freeze(rest, profile=profile, texts=texts, request=request)
            case "unfreeze":
                return await self._freezes.unfreeze(rest, profile=profile, texts=texts, request=request)
            case "freezes":
                return await self._freezes.freezes(rest, texts=texts)
            case _:
                return await self._answer_text(verb, rest, texts)

    async def _answer_text(self, verb: str, rest: Sequence[str], texts: Texts) -> str:
        names = named_domains(rest)
        domain = self._rules.domain(names[0]) if len(names) == 1 else None
        if domain is None:
            unknown = [name for name in names if self._rules.domain(name) is None]
            said = [
                texts("policy.unknown", names=unknown_names_text(unknown, rules=self._rules, texts=texts))
            ]
            return "\n".join([*(said if unknown else []), texts("policy.how_to")])
        lines = self._who(domain, texts) if verb == "who" else self._all(domain, texts)
        admins = texts("policy.admins", who=mentions(self._rules.admins) or "—")
        return "\n".join([*lines, *(await self._frozen(domain, texts)), admins])

    def _who(self, domain: OwnedDomain, texts: Texts) -> list[str]:
        rules = effective_policy(domain.policy, now=self._clock(), shift=None)
        groups = [entry for entry in rules.policy.voters if entry.startswith("S")]
        roster = self._rules.roster()
        return [
            f"*{texts('policy.who_title', domain=domain.name)}*",
            *in_force_lines(rules, texts=texts),
            *([texts("policy.shift_matters", domain=domain.name)] if rules.depends_on_shift else []),
            *(self._members(group, sorted(roster.groups.get(group, ())), texts) for group in groups),
            *stale_group_lines(self._rules.stale_groups(rules.policy.voters), texts=texts),
        ]

    def _all(self, domain: OwnedDomain, texts: Texts) -> list[str]:
        lines = [f"*{texts('policy.title', domain=domain.name)}*", *policy_lines(domain.policy, texts=texts)]
        lines.append(texts("policy.traffic_guard"))
        if domain.probes:
            names = ", ".join(f"“{inline(probe.name)}”" for probe in domain.probes)
            lines.append(texts("policy.probes", names=names))
        return lines

    async def _frozen(self, domain: OwnedDomain, texts: Texts) -> list[str]:
        """The freezes in force; without the database, those of the configuration."""
        try:
            freezes, unknown = (
                await run_with_timeout(QUERY_TIMEOUT_SECONDS, self._freezes.of(domain.name)),
                [],
            )
        except (DatabaseUnavailable, TimeoutError):
            freezes = tuple(self._rules.freezes(domain.name))
            unknown = [texts("policy.freezes_unknown")]
        frozen = active_freezes(freezes, now=self._clock())
        return [*(rule_text(rule, texts=texts) for rule in frozen), *unknown]

    def _members(self, group: str, members: Sequence[str], texts: Texts) -> str:
        shown = ", ".join(mention(member) for member in members[:MAX_MEMBERS]) or "—"
        if len(members) > MAX_MEMBERS:
            shown = f"{shown}, {texts.plural('rule.more', count=len(members) - MAX_MEMBERS)}"
        return texts("policy.members", group=mention(group), members=shown)
