"""The configuration in use, which may be reloaded, and the members of the groups that it names."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from app.config.domain_index import DomainIndex
from app.config.loader import Config, Domain
from app.flow.ports.rules import OwnedDomain
from app.gate.deployer import slack_person
from app.gate.ids import DomainName, UserId
from app.gate.rules.freeze import Freeze
from app.gate.rules.policy import Policy, Roster
from app.observability.metrics import OBSERVED_DOMAINS

STALE_AFTER: Final = timedelta(minutes=5)
"""Groups are read every minute. If the members of a group are older than this, people are shown their age."""


class RuntimeConfig:
    """See `app.flow.ports.rules.Rules`. A reload replaces the whole configuration; open gates keep their state."""

    def __init__(
        self,
        config: Config,
        *,
        roster: Callable[[], Roster],
        last_synced_at: Callable[[str], datetime | None],
        clock: Callable[[], datetime],
    ) -> None:
        """`last_synced_at`: when the members of a group were last read from Slack."""
        self.config = config
        self._roster = roster
        self._last_synced_at = last_synced_at
        self._clock = clock
        self._is_outdated = False

    @property
    def config(self) -> Config:
        """Set to another one by a reload."""
        return self._config

    @config.setter
    def config(self, config: Config) -> None:
        self._config, self._index = config, DomainIndex(config)
        OBSERVED_DOMAINS.set(len(self._index.observed))

    @property
    def default_channel(self) -> str:
        return self.config.channel

    @property
    def default_policy(self) -> Policy:
        return self.config.policy

    @property
    def admins(self) -> tuple[str, ...]:
        """Users and user groups that may intervene everywhere, use break-glass, and freeze."""
        return self.config.admins

    @property
    def channels(self) -> frozenset[str]:
        """Every channel that the configuration names, escalation channels included."""
        return self._index.channels

    @property
    def groups(self) -> frozenset[str]:
        """Every user group that some policy names, and those of the admins."""
        return self._index.groups

    @property
    def named(self) -> frozenset[str]:
        """Every user and user group of the configuration."""
        return self._index.entries

    @property
    def looked_up(self) -> frozenset[str]:
        """The groups, and the users of rules without a group: if one of them left, nobody might be able to approve."""
        return self._index.looked_up

    def domain_of(self, *, application: str, deployment_group: str) -> OwnedDomain | None:
        """The domain that a CodeDeploy application and deployment group are."""
        domain = self.config.find_domain(application, deployment_group)
        return _owned(domain) if domain else None

    def domain(self, name: DomainName) -> OwnedDomain | None:
        """A domain by its name."""
        domain = self.config.domains.get(name)
        return _owned(domain) if domain else None

    def roster(self) -> Roster:
        """Who is in which group now."""
        return self._roster()

    def freezes(self, domain: DomainName) -> tuple[Freeze, ...]:
        """The configuration's freezes of a domain."""
        return tuple(
            each.freeze for each in self.config.freezes if each.domains is None or domain in each.domains
        )

    def domain_names(self) -> list[DomainName]:
        """Every configured domain."""
        return [DomainName(name) for name in self.config.domains]

    def stale_groups(self, people: tuple[str, ...]) -> list[tuple[str, datetime | None]]:
        """The groups among these whose members were not read recently, and when they last were."""
        return [
            (entry, since)
            for entry in people
            if entry.startswith("S") and self._is_stale(since := self._last_synced_at(entry))
        ]

    def _is_stale(self, last_synced_at: datetime | None) -> bool:
        # The groups of a large configuration are read less often.
        limit = max(STALE_AFTER, timedelta(seconds=18) * len(self.groups))
        return last_synced_at is None or self._clock() - last_synced_at > limit

    def self_approving(self) -> list[DomainName]:
        """The domains that approve themselves when their checks pass, now or at some time."""
        return self._index.self_approving

    def observed(self) -> list[DomainName]:
        """The domains in observe mode. None while the configuration may be outdated: the mode may be over."""
        return [] if self._is_outdated else self._index.observed

    def mark_stale(self, stale: bool) -> None:
        """Whether the configuration may be outdated: its source could not be read, or has a mistake."""
        self._is_outdated = stale

    def probing(self) -> list[DomainName]:
        """The domains that have probes."""
        return self._index.probing

    @property
    def probe_hosts(self) -> frozenset[str]:
        """Hosts that probes may connect to although their addresses are private."""
        return self.config.probe_hosts

    def slack_person(self, login: str | None) -> UserId | None:
        """The Slack account of a login."""
        return slack_person(login, people=self.config.people)


def _owned(domain: Domain) -> OwnedDomain:
    return OwnedDomain(
        name=DomainName(domain.name),
        channel=domain.channel,
        listener_port=domain.listener_port,
        policy=domain.policy,
        probes=domain.probes,
    )
