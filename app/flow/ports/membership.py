"""What Slack last said of user groups and users, shared by all replicas, so that they judge and draw alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """`entry` is a user group or a user. Members of a group; of a user every id of the same person, none once gone."""

    entry: str
    members: tuple[str, ...]
    last_synced_at: datetime


class MembershipRecord(Protocol):
    """Every method raises `RecordAway`."""

    async def all(self) -> Sequence[Membership]: ...

    async def claim(
        self, entries: Sequence[str], *, stale_before: datetime, requested_before: datetime, now: datetime
    ) -> Sequence[str]:
        """Those that are to be asked about now, and by this replica alone."""
        ...

    async def store(self, memberships: Sequence[Membership]) -> None:
        """Keeps the newer of what is stored and what is given."""
        ...
