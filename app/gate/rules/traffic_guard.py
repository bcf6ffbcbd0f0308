"""Whether live traffic matches what the deployment expects; if not, nobody can approve.

Before traffic moves, production goes to blue alone. If the listener already sends some of it to green, or to other
target groups, or if green has unhealthy targets and no healthy one, an approval would not do what the card says. What
cannot be read blocks nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.gate.evidence.model import Evidence, Listener, Missing
from app.gate.rules.violations import ForeignTargetGroup, GreenReceivesTraffic, GreenUnhealthy

MAX_EVIDENCE_AGE: Final = timedelta(minutes=2)
"""Evidence older than this blocks nothing: it is read again."""

GuardRule = GreenReceivesTraffic | ForeignTargetGroup | GreenUnhealthy


@dataclass(frozen=True, kw_only=True, slots=True)
class TrafficGuard:
    """What was found in the latest evidence."""

    blockers: tuple[GuardRule, ...]
    seen_at: datetime

    def is_stale(self, now: datetime) -> bool:
        return now - self.seen_at > MAX_EVIDENCE_AGE

    def holding(self, now: datetime) -> tuple[GuardRule, ...]:
        """The violations that block an approval at `now`."""
        return () if self.is_stale(now) else self.blockers


def blockers_in(evidence: Evidence, *, before_traffic: bool) -> tuple[GuardRule, ...]:
    """`before_traffic`: the gate waits before CodeDeploy moves production traffic, so all of it belongs to blue."""
    listeners = evidence.listeners
    if isinstance(listeners, Missing) or not before_traffic:
        return tuple(_health(evidence))
    blue, green = evidence.blue.target_group, evidence.green.target_group
    traffic = [rule for listener in listeners for rule in _traffic(listener, blue=blue, green=green)]
    return (*traffic, *_health(evidence))


def _traffic(
    listener: Listener, *, blue: str | None, green: str | None
) -> Iterator[GreenReceivesTraffic | ForeignTargetGroup]:
    if green is None or blue == green:
        return
    actions = [dict(weights) for weights in (listener.weights, *(listener.rules or ()))]
    ours = [weights for weights in actions if green in weights or blue in weights]
    on_green = max((weights.get(green, 0) for weights in ours), default=0)
    if on_green:
        yield GreenReceivesTraffic(port=listener.port, percent=on_green)
    if blue is None:
        return
    # Its rules were read and none forwards to the pair, so the default action serves.
    if not ours and listener.rules is not None:
        ours = actions[:1]
    yield from _elsewhere(listener.port, ours, pair={blue, green})


def _elsewhere(
    port: int, actions: Sequence[Mapping[str, int]], *, pair: set[str]
) -> Iterator[ForeignTargetGroup]:
    others = [{name: share for name, share in one.items() if share and name not in pair} for one in actions]
    percent = max((sum(one.values()) for one in others), default=0)
    if percent:
        names = sorted({name for one in others for name in one})
        yield ForeignTargetGroup(port=port, percent=min(percent, 100), target_groups=tuple(names))


def _health(evidence: Evidence) -> Iterator[GreenUnhealthy]:
    """Unused targets, and targets that are still being registered, are neither healthy nor unhealthy."""
    health = evidence.green.health
    if isinstance(health, Missing):
        return
    counts = {one.state: one.count for one in health}
    if counts.get("unhealthy") and not counts.get("healthy"):
        yield GreenUnhealthy(unhealthy=counts["unhealthy"], total=sum(counts.values()))
