"""When Slack last told anybody here the members of a user group. In the record, because cards show it: what only one
replica knows would have two replicas redraw each other's cards for ever."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

import structlog

from app.flow.record_ports import RecordAway

log = structlog.get_logger(__name__)


class FreshnessRecord(Protocol):
    async def groups_heard(self, heard: Mapping[str, datetime]) -> None: ...

    async def last_heard(self, groups: Iterable[str]) -> Mapping[str, datetime]: ...


class GroupFreshness:
    """A copy of the record's times, read again before the rules are looked at."""

    def __init__(self, record: FreshnessRecord) -> None:
        self._record = record
        self._heard: Mapping[str, datetime] = {}

    def heard(self, group: str) -> datetime | None:
        """None: Slack has never told any replica."""
        return self._heard.get(group)

    async def read(self, groups: Iterable[str]) -> None:
        """Reads the times anew. Raises `RecordAway`."""
        self._heard = await self._record.last_heard(groups)

    async def share(self, heard: Mapping[str, datetime], *, groups: Iterable[str]) -> None:
        """Tells the record what this replica has heard, and reads what all have."""
        try:
            await self._record.groups_heard(heard)
            await self.read(groups)
        except RecordAway as exc:
            log.warning("group_freshness_not_shared", problem=str(exc))
