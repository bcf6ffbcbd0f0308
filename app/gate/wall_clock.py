"""Wall-clock times around a change of clocks: one may come twice, and one may be skipped."""

from datetime import UTC, datetime, tzinfo


def earliest(local: datetime, zone: tzinfo) -> datetime:
    """The first instant in UTC that the naive `local` can mean; of a skipped time the one before the gap."""
    return min(_instants(local, zone))


def latest(local: datetime, zone: tzinfo) -> datetime:
    """The last instant in UTC that the naive `local` can mean; of a skipped time the one after the gap."""
    return max(_instants(local, zone))


def is_skipped(local: datetime, zone: tzinfo) -> bool:
    """Whether the clocks of the zone are put forward over the naive `local`, so that it does not exist."""
    return earliest(local, zone).astimezone(zone).replace(tzinfo=None) != local


def _instants(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second
