"""The rules in force: the configuration, which may be reloaded, and the groups that it names."""

from collections.abc import Callable

from app.domains import Config, Domain
from app.flow.ports import OwnedDomain
from app.gate.deployer import slack_person
from app.gate.ids import DomainName, UserId
from app.gate.policy import Policy, Roster


class LiveRules:
    """See `app.flow.ports.Rules`. A reload swaps the whole configuration; gates stay as they are."""

    def __init__(self, config: Config, *, roster: Callable[[], Roster]) -> None:
        self.config = config
        self._roster = roster

    @property
    def default_channel(self) -> str:
        return self.config.channel

    @property
    def default_policy(self) -> Policy:
        return self.config.policy

    @property
    def admins(self) -> tuple[str, ...]:
        """Users and user groups that may intervene everywhere."""
        return self.config.admins

    @property
    def groups(self) -> frozenset[str]:
        """Every user group that names somebody who may act."""
        policies = [self.config.policy, *(domain.policy for domain in self.config.domains.values())]
        named = [*self.config.admins, *(entry for policy in policies for entry in policy.approvers)]
        return frozenset(entry for entry in named if entry.startswith("S"))

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

    def slack_person(self, login: str | None) -> UserId | None:
        """The Slack account of a login."""
        return slack_person(login, people=self.config.people)


def _owned(domain: Domain) -> OwnedDomain:
    return OwnedDomain(
        name=DomainName(domain.name),
        channel=domain.channel,
        listener_port=domain.listener_port,
        policy=domain.policy,
    )
