"""`/deploys who order`, `/deploys rules order`, and the freezes: what the rules say, in words."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from app.flow.ports import OwnedDomain, Rules
from app.gate.ids import DomainName
from app.gate.judging import frozen_by
from app.gate.rulebook import in_force
from app.i18n.catalog import Texts
from app.slack.blocks import mention
from app.slack.directory import Profile
from app.slack.freeze_command import FreezeCommand
from app.slack.policy_words import in_force_lines, policy_lines
from app.slack.rule_words import mentions, rule_words
from app.slack.standing import unheard_words

VERBS: Final = ("freeze", "unfreeze", "freezes", "who", "rules")
MOST_MEMBERS: Final = 30


class RulesCommand:
    """What these words after `/deploys` answer, seen by the giver alone."""

    def __init__(self, *, freezes: FreezeCommand, rules: Rules, clock: Callable[[], datetime]) -> None:
        self._freezes = freezes
        self._rules = rules
        self._clock = clock

    async def answer(self, words: Sequence[str], *, profile: Profile, texts: Texts) -> str:
        """`words` begin with one of `VERBS`."""
        verb, rest = words[0].lower(), words[1:]
        match verb:
            case "freeze":
                return await self._freezes.freeze(rest, profile=profile, texts=texts)
            case "unfreeze":
                return await self._freezes.unfreeze(rest, profile=profile, texts=texts)
            case "freezes":
                return await self._freezes.freezes(texts=texts)
            case _:
                return self._told(verb, rest, texts)

    def _told(self, verb: str, rest: Sequence[str], texts: Texts) -> str:
        domain = self._rules.domain(DomainName(rest[0].lower())) if len(rest) == 1 else None
        if domain is None:
            return texts("deploys.help")
        lines = self._who(domain, texts) if verb == "who" else self._all(domain, texts)
        return "\n".join(lines)

    def _who(self, domain: OwnedDomain, texts: Texts) -> list[str]:
        now = self._clock()
        rules = in_force(domain.policy, now=now, shift=None)
        groups = [entry for entry in rules.policy.voters if entry.startswith("S")]
        roster = self._rules.roster()
        return [
            f"*{texts('policy.who_title', domain=domain.name)}*",
            *in_force_lines(rules, texts=texts),
            *(self._members(group, sorted(roster.groups.get(group, ())), texts) for group in groups),
            *unheard_words(self._rules.unheard(rules.policy.voters), texts=texts),
            *self._frozen(domain, now, texts),
            texts("policy.admins", who=mentions(self._rules.admins) or "—"),
        ]

    def _all(self, domain: OwnedDomain, texts: Texts) -> list[str]:
        return [
            f"*{texts('policy.title', domain=domain.name)}*",
            *policy_lines(domain.policy, texts=texts),
            *self._frozen(domain, self._clock(), texts),
            texts("policy.admins", who=mentions(self._rules.admins) or "—"),
        ]

    def _frozen(self, domain: OwnedDomain, now: datetime, texts: Texts) -> list[str]:
        """Only the configuration's: `/deploys freezes` lists all."""
        frozen = frozen_by(self._rules.freezes(domain.name), now=now)
        return [rule_words(rule, texts=texts) for rule in frozen]

    def _members(self, group: str, members: Sequence[str], texts: Texts) -> str:
        shown = ", ".join(mention(member) for member in members[:MOST_MEMBERS]) or "—"
        if len(members) > MOST_MEMBERS:
            shown = f"{shown}, {texts.plural('rule.more', count=len(members) - MOST_MEMBERS)}"
        return texts("policy.members", group=mention(group), members=shown)
