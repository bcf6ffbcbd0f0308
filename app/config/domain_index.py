"""What a configuration says about all of its domains together, computed once: workers ask every second."""

from collections.abc import Iterable
from functools import cached_property

from app.config.loader import Config
from app.gate.ids import DomainName
from app.gate.rules.policy import everyone_named


class DomainIndex:
    """Of one configuration, which never changes. Each of these walks all domains, of which there may be a thousand."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def channels(self) -> frozenset[str]:
        """Every channel that is named, escalation channels included."""
        domains = self._config.domains.values()
        called = {domain.policy.reminder_settings.escalate_to or "" for domain in domains}
        named = {self._config.channel, *(domain.channel for domain in domains), *called}
        return frozenset(channel for channel in named if channel.startswith(("C", "G")))

    @cached_property
    def entries(self) -> frozenset[str]:
        """Every user and user group that a policy names, those of the admins, and the people behind logins."""
        return self._in_policies | set(self._config.people.values())

    @cached_property
    def groups(self) -> frozenset[str]:
        """Every user group that a policy names, and those of the admins."""
        return _groups(self._in_policies)

    @cached_property
    def looked_up(self) -> frozenset[str]:
        """The groups, and the users of rules without a group: if one of them left, nobody might be able to approve."""
        policies = [domain.policy for domain in self._config.domains.values()]
        alone = [
            source.people for policy in policies for source in policy.sources if not _groups(source.people)
        ]
        return self.groups.union(*alone)

    @cached_property
    def self_approving(self) -> list[DomainName]:
        """The domains that approve themselves when their checks pass, now or at some time."""
        return [
            DomainName(name)
            for name, domain in self._config.domains.items()
            if domain.policy.approve_when_checks_pass
            or any(variant.changes.approve_when_checks_pass for variant in domain.policy.variants)
        ]

    @cached_property
    def observed(self) -> list[DomainName]:
        """The domains in observe mode."""
        return [DomainName(name) for name, domain in self._config.domains.items() if domain.policy.observe]

    @cached_property
    def probing(self) -> list[DomainName]:
        """The domains that have probes."""
        return [DomainName(name) for name, domain in self._config.domains.items() if domain.probes]

    @cached_property
    def _in_policies(self) -> frozenset[str]:
        policies = [self._config.policy, *(domain.policy for domain in self._config.domains.values())]
        return frozenset(self._config.admins).union(*(everyone_named(policy) for policy in policies))


def _groups(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(entry for entry in entries if entry.startswith("S"))
