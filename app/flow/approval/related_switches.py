"""The switches of other domains, added to what is known of a gate where its domain's rules look at them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from app.flow.ports.database import HeldGate
from app.flow.ports.rules import OwnedDomain, Rules
from app.flow.read_models import GateView
from app.gate.ids import DomainName
from app.gate.rules.exclusivity import AFTER_TRAFFIC, Line, Neighbour, Turns
from app.gate.state_machine import Awaiting

NO_EXCLUSIVITY = Turns()


class RelatedSwitchRecord(Protocol):
    async def neighbours(self, domains: Sequence[DomainName]) -> Sequence[Neighbour]:
        """These domains' switches that live, and the last one of each."""
        ...


async def with_related_switches(
    views: Sequence[GateView], *, record: RelatedSwitchRecord, rules: Rules
) -> list[GateView]:
    """The views, each with the switches that its turn depends on. The record is asked only where there may be any."""
    wanted = {name for view in views for name in _turns(view, rules).others}
    if not wanted:
        return list(views)
    found = await record.neighbours(sorted(wanted))
    return [
        replace(view, neighbours=tuple(one for one in found if one.domain in _turns(view, rules).others))
        for view in views
    ]


async def lock_exclusivity(held: HeldGate, *, rules: Rules) -> None:
    """Before an approval is judged: it is judged by what the others of its domain's sets have been given, and until
    it is committed none of them is given anything."""
    turns = _turns(held.view, rules)
    if turns.others:
        await held.look_beside(sorted(turns.others), alone=bool(turns.rivals))


def queue_position_of(view: GateView, *, domain: OwnedDomain, rules: Rules) -> Line | None:
    """Where the gate stands among the others; None where its domain's rules look at none."""
    if not domain.policy.turns.others:
        return None
    return Line(
        opened_at=view.opened_at,
        moves=_moves(view),
        neighbours=with_configured_waits(view.neighbours, rules),
    )


def with_configured_waits(neighbours: Sequence[Neighbour], rules: Rules) -> tuple[Neighbour, ...]:
    """How long each keeps its turn is its own domain's to say."""
    keeps = {one.domain: _turns_of(one.domain, rules).keeps for one in neighbours}
    return tuple(replace(one, keeps=keeps[one.domain]) for one in neighbours)


def _moves(view: GateView) -> bool:
    switch = view.switch
    return view.hook_name == AFTER_TRAFFIC or switch.switched_at is not None or bool(switch.green_percent)


def _turns(view: GateView, rules: Rules) -> Turns:
    waits = isinstance(view.gate, Awaiting) and not _moves(view)
    return _turns_of(view.switch.domain, rules) if waits else NO_EXCLUSIVITY


def _turns_of(name: DomainName | None, rules: Rules) -> Turns:
    domain = rules.domain(name) if name else None
    return domain.policy.turns if domain else NO_EXCLUSIVITY
