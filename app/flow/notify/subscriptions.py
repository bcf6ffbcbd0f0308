"""Who wants a direct message when a gate waits that they can decide, and the requests for these messages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from app.flow.ports.rules import Rules
from app.gate.ids import DomainName, UserId
from app.gate.rules.evaluation import effective_policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A person who wants direct messages, in their language. `domains` None: of every domain that they can decide."""

    person: UserId
    domains: tuple[DomainName, ...] | None
    locale: Literal["en", "ko"] = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """A person who can decide the domain now. `own_deployment`: their own deployments, too."""

    person: UserId
    domain: DomainName
    own_deployment: bool


class SubscriptionRepository(Protocol):
    async def get(self, person: UserId) -> Subscription | None: ...

    async def put(self, subscription: Subscription, *, now: datetime) -> None: ...

    async def remove(self, person: UserId) -> None: ...


class DirectMessageRequests(Protocol):
    async def subscriptions(self) -> Sequence[Subscription]: ...

    async def request(self, recipients: Sequence[Recipient], *, now: datetime) -> bool:
        """Requests a message to each recipient for each waiting gate, once. Whether there was a new one."""
        ...

    async def make_decided_due(self, *, now: datetime) -> bool:
        """Makes the messages due whose gate was decided since they were posted. Whether there was one."""
        ...


async def request_direct_messages(*, repository: DirectMessageRequests, rules: Rules, now: datetime) -> bool:
    """Requests what is to be posted or edited; whether there was anything."""
    decided = await repository.make_decided_due(now=now)
    recipients = [
        recipient
        for subscription in await repository.subscriptions()
        for recipient in recipients_of(subscription, rules=rules, now=now)
    ]
    return bool(recipients) and await repository.request(recipients, now=now) or decided


def recipients_of(subscription: Subscription, *, rules: Rules, now: datetime) -> Iterator[Recipient]:
    """The domains that the subscriber can decide now, of those that they want."""
    names = rules.domain_names() if subscription.domains is None else subscription.domains
    roster = rules.roster()
    for name in names:
        domain = rules.domain(name)
        if domain is None:
            continue
        policy = effective_policy(domain.policy, now=now, shift=None).policy
        if roster.includes(subscription.person, approvers=policy.voters):
            yield Recipient(
                person=subscription.person, domain=domain.name, own_deployment=policy.own_deployment
            )
