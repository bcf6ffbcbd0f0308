"""What the flow needs of the configuration: the domains and their rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.gate.ids import DomainName, UserId
from app.gate.rules.checks import Probe
from app.gate.rules.freeze import Freeze
from app.gate.rules.policy import Policy, Roster


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnedDomain:
    """A configured domain: the channel of its cards, its rules, and its probes."""

    name: DomainName
    channel: str
    listener_port: int | None
    policy: Policy
    probes: tuple[Probe, ...] = ()


class Rules(Protocol):
    """The configuration in force and the people it names, both snapshots of this moment."""

    def domain_of(self, *, application: str, deployment_group: str) -> OwnedDomain | None: ...

    def domain(self, name: DomainName) -> OwnedDomain | None: ...

    def roster(self) -> Roster: ...

    def slack_person(self, login: str | None) -> UserId | None: ...

    def domain_names(self) -> Sequence[DomainName]:
        """Every configured domain."""
        ...

    def stale_groups(self, people: tuple[str, ...]) -> Sequence[tuple[str, datetime | None]]:
        """The user groups among these that were not read from Slack lately, and when they last were."""
        ...

    def freezes(self, domain: DomainName) -> Sequence[Freeze]:
        """The freezes of this domain that the configuration declares, in force or not."""
        ...

    @property
    def admins(self) -> tuple[str, ...]:
        """Users and user groups who may use break-glass and freeze."""
        ...

    def self_approving(self) -> Sequence[DomainName]:
        """The domains with a rule that approves automatically when the checks pass."""
        ...

    def observed(self) -> Sequence[DomainName]:
        """The domains in observe mode, whose switches nobody has to approve."""
        ...

    def probing(self) -> Sequence[DomainName]:
        """The domains that have probes."""
        ...

    @property
    def probe_hosts(self) -> frozenset[str]:
        """Hosts that probes may call although their addresses are private."""
        ...

    @property
    def default_channel(self) -> str: ...

    @property
    def default_policy(self) -> Policy: ...
