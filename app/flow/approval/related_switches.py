"""The switches of other domains, added to what is known of a gate where its domain's rules look at them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from app.flow.ports.database import HeldGate
from app.flow.ports.rules import OwnedDomain, Rules
from app.flow.read_models import GateView
from app.gate.ids import DomainName
from app.gate.rules.exclusivity import Exclusivity, QueuePosition, RelatedSwitch
from app.gate.state_machine import Awaiting

NO_EXCLUSIVITY = Exclusivity()


class RelatedSwitchRecord(Protocol):
    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """These domains' switches that live, and the last one of each."""
        ...


async def with_related_switches(
    views: Sequence[GateView], *, record: RelatedSwitchRecord, rules: Rules
) -> list[GateView]:
    """The views, each with the switches that its turn depends on. The record is asked only where there may be any."""
    wanted = {name for view in views for name in _exclusivity(view, rules).related_domains}
    if not wanted:
        return list(views)
    found = await record.related_switches(sorted(wanted))
    return [
        replace(
            view,
            related_switches=tuple(
                one for one in found if one.domain in _exclusivity(view, rules).related_domains
            ),
        )
        for view in views
    ]


async def lock_exclusivity(held: HeldGate, *, rules: Rules) -> None:
    """Before an approval is judged: it is judged by what the others of its domain's sets have been given, and until
    it is committed none of them is given anything."""
    exclusivity = _exclusivity(held.view, rules)
    if exclusivity.related_domains:
        await held.load_related_switches(
            sorted(exclusivity.related_domains), exclusive=bool(exclusivity.excludes)
        )


def queue_position_of(view: GateView, *, domain: OwnedDomain, rules: Rules) -> QueuePosition | None:
    """Where the gate stands among the others; None where its domain's rules look at none."""
    if not domain.policy.exclusivity.related_domains:
        return None
    return QueuePosition(
        opened_at=view.opened_at,
        traffic_moving=_moves(view),
        related=with_configured_waits(view.related_switches, rules),
    )


def with_configured_waits(
    related_switches: Sequence[RelatedSwitch], rules: Rules
) -> tuple[RelatedSwitch, ...]:
    """How long each keeps its turn is its own domain's to say."""
    exclusive_until = {
        one.domain: _exclusivity_of(one.domain, rules).exclusive_until for one in related_switches
    }
    return tuple(replace(one, exclusive_until=exclusive_until[one.domain]) for one in related_switches)


def _moves(view: GateView) -> bool:
    switch = view.switch
    return not view.before_traffic or switch.switched_at is not None or bool(switch.green_percent)


def _exclusivity(view: GateView, rules: Rules) -> Exclusivity:
    waits = isinstance(view.gate, Awaiting) and not _moves(view)
    return _exclusivity_of(view.switch.domain, rules) if waits else NO_EXCLUSIVITY


def _exclusivity_of(name: DomainName | None, rules: Rules) -> Exclusivity:
    domain = rules.domain(name) if name else None
    return domain.policy.exclusivity if domain else NO_EXCLUSIVITY
