"""Announcements: messages of this service that call people, each posted once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.database import Claim
from app.flow.read_models import CardPlace, GateView
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where a message is posted. `thread`: as a reply to this message; None: beside the cards."""

    channel: str
    thread: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DueAnnouncement(Claim):
    """One that is not posted.

    `channel`: the escalation channel, which gets a message too; None: the card's thread. `posting_since`: posted
    perhaps, at `tried`, but the answer was lost.
    """

    id: int
    kind: AnnouncementKind
    view: GateView
    place: CardPlace | None
    written_at: datetime
    posting_since: datetime | None
    tried: Destination | None = None
    channel: str | None = None


AWAY_AFTER: Final = timedelta(minutes=2)
"""A replica that runs expires a gate within seconds. This long after the deadline, none ran when it passed."""


def expired_while_away(gate: Awaiting, *, now: datetime) -> bool:
    """Whether the deadline passed while nobody could answer, because this service or its database was away."""
    return gate.verified and now - gate.deadline_at > AWAY_AFTER


def is_rollback(view: GateView) -> bool:
    """Whether the deployment rolls another one back. Its problems are announced in the thread of that one."""
    return view.basis in {Basis.AUTO_ROLLBACK, Basis.UNDO}
