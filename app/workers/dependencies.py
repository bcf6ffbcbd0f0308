"""The objects that the workers use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from app.db.all_repositories import Repositories
from app.flow.checks.run_probe import Prober
from app.flow.evidence.resolve_deployer import EmailLookup
from app.flow.notify.announce import Announcer
from app.flow.notify.announce_in_channel import ChannelAnnouncer
from app.flow.notify.post_timeline import TimelinePublisher
from app.flow.notify.publish_card import CardPublisher
from app.flow.notify.remove_card_copy import CopyRemover
from app.flow.notify.send_direct_message import Messenger
from app.flow.ports.codedeploy import DeploymentControl, Deployments
from app.flow.ports.evidence import EvidenceSource
from app.flow.ports.rules import Rules
from app.i18n.catalog import Texts
from app.workers.foreground import ForegroundTracker
from app.workers.leased_job import Clock
from app.workers.runner import Step
from app.workers.wakeups import Wakeups


class SharedMembers(Protocol):
    """The people in Slack's user groups, as all replicas know them. The workers do not import Slack."""

    def is_stale(self) -> bool:
        """Whether some were last read from Slack too long ago."""
        ...

    async def sync(self) -> bool:
        """Loads what other replicas have read; whether it changed anything. Raises `DatabaseUnavailable`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Dependencies:
    """One replica's clients, repositories and rules."""

    repositories: Repositories
    deployments: Deployments
    deployment_control: DeploymentControl
    evidence_source: EvidenceSource
    cards: CardPublisher
    card_copies: CopyRemover
    timelines: TimelinePublisher
    announcer: Announcer
    channel_announcer: ChannelAnnouncer
    messenger: Messenger
    prober: Prober
    email_lookup: EmailLookup
    members: SharedMembers
    refresh_members: Callable[[], Awaitable[bool]]
    """Reads from Slack what is out of date."""
    publish_homes: Step
    rules: Rules
    texts: Texts
    wakeups: Wakeups
    clock: Clock
    foreground: ForegroundTracker
