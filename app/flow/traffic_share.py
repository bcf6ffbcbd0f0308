"""How much production traffic is on a switch's green, as far as that is known: the one source for all that say it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.flow.read_models import GateView, Rollback, Switch
from app.flow.switch_progress import is_let_through, is_undone
from app.gate.state_machine import Decided


@dataclass(frozen=True, kw_only=True, slots=True)
class TrafficShare:
    """`percent` None: not known now. `read_at`: when it was read last; None: never, or it needs no reading."""

    percent: int | None
    read_at: datetime | None = None


NONE_ON_GREEN: Final = TrafficShare(percent=0)
ALL_ON_GREEN: Final = TrafficShare(percent=100)


def share_on_green(view: GateView) -> TrafficShare:
    """The share of production traffic on green.

    Some of it needs no reading: before the switch is let through there is none on green, and where all of it has
    arrived it stays until a rollback moves it back. Anything else is known only for a short time after it was read
    (`app.flow.lifecycle.poll_schedule.stale_at`).
    """
    switch = view.switch
    if is_undone(view) or not is_let_through(view):
        return NONE_ON_GREEN
    if view.rollback is not None:
        return _during_rollback(switch, view.rollback)
    if switch.switched_at is not None and (switch.ended_at is None or switch.status == "Succeeded"):
        return ALL_ON_GREEN
    if isinstance(view.gate, Decided) and not view.report_error and not switch.green_percent:
        return NONE_ON_GREEN  # CodeDeploy has not been told
    return TrafficShare(
        percent=switch.green_percent if _is_known(view) else None, read_at=switch.traffic_read_at
    )


def _is_known(view: GateView) -> bool:
    switch = view.switch
    if switch.traffic_unknown:
        return False
    if switch.ended_at is not None:
        return True  # what was read at the end; nothing moves any more
    read_at, since = switch.traffic_read_at, view.decided_at
    return read_at is not None and (since is None or read_at >= since)


def _during_rollback(switch: Switch, back: Rollback) -> TrafficShare:
    """The green of a rollback is the previous version's: what is not there is on the green that it rolls back."""
    if back.traffic_read_at is None or back.green_percent is None or back.traffic_unknown:
        return TrafficShare(percent=None, read_at=back.traffic_read_at or switch.traffic_read_at)
    return TrafficShare(percent=100 - back.green_percent, read_at=back.traffic_read_at)
