"""User groups and users as last read from Slack. Shared, so that all replicas evaluate and show the same."""

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


class MembershipRepository(Protocol):
    """Every method raises `DatabaseUnavailable`."""

    async def all(self) -> Sequence[Membership]: ...

    async def claim(
        self, entries: Sequence[str], *, stale_before: datetime, requested_before: datetime, now: datetime
    ) -> Sequence[str]:
        """The entries that this replica alone is to refresh now."""
        ...

    async def store(self, memberships: Sequence[Membership]) -> None:
        """Keeps the newer of what is stored and what is given."""
        ...
