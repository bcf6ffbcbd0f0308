"""What a vote is evaluated against: the gate, its domain's rules, checks, freezes and related switches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from app.flow.ports.database import HeldGate
from app.flow.ports.rules import OwnedDomain, Rules
from app.flow.read_models import GateView
from app.gate.ids import DomainName
from app.gate.people import Person
from app.gate.rules.denials import Denial
from app.gate.rules.evaluation import (
    EvaluationContext,
    RuleInputs,
    blockers_of,
    missing_approvals,
    rejections_missing,
)
from app.gate.rules.exclusivity import Exclusivity, QueuePosition, RelatedSwitch
from app.gate.rules.permits import rules_to_override
from app.gate.rules.violations import (
    Violation,
)
from app.gate.state_machine import AlreadyDecided, Awaiting, NotVerified


class NoSuchGate(Denial):
    """The database holds no such gate."""

    code = "gate_not_found"


class Unconfigured(Denial):
    """The gate's domain is no longer configured: no policy says who may decide, so nobody may."""

    code = "domain_not_configured"


NO_EXCLUSIVITY: Final = Exclusivity()


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalContext:
    """A waiting gate, its domain, and the inputs of the domain's rules."""

    gate: Awaiting
    domain: OwnedDomain
    rule_inputs: RuleInputs


def approval_context_of(view: GateView, *, rules: Rules) -> ApprovalContext:
    """Raises a `Denial` where nobody can vote now."""
    if not isinstance(view.gate, Awaiting):
        raise AlreadyDecided
    if view.switch.domain is None:
        raise NotVerified
    domain = rules.domain(view.switch.domain)
    if domain is None:
        raise Unconfigured
    return ApprovalContext(
        gate=view.gate, domain=domain, rule_inputs=rule_inputs_of(view, domain=domain, rules=rules)
    )


def rule_inputs_of(view: GateView, *, domain: OwnedDomain, rules: Rules) -> RuleInputs:
    """The inputs of the rules apart from people, stored and configured."""
    traffic = view.switch.traffic
    return RuleInputs(
        shift=traffic.shift if traffic else None,
        checks={check.name: check.state for check in view.checks},
        freezes=(*rules.freezes(domain.name), *view.freezes),
        queue=queue_position_of(view, domain=domain, rules=rules),
        guard=view.guard,
    )


def evaluation_context_of(context: ApprovalContext, *, rules: Rules, now: datetime) -> EvaluationContext:
    """Everything that a vote at `now` is evaluated against."""
    return context.gate.evaluation_context(
        policy=context.domain.policy,
        roster=rules.roster(),
        rule_inputs=context.rule_inputs,
        now=now,
    )


def rejections_after(view: GateView, *, person: Person, rules: Rules, now: datetime) -> int:
    """How many more people would have to reject after this person; 0: this rejection decides, or nobody can vote."""
    try:
        context = evaluation_context_of(approval_context_of(view, rules=rules), rules=rules, now=now)
    except Denial:
        return 0
    return rejections_missing(context.rejected_also_by(person.user))


def violations_for(
    view: GateView, *, rules: Rules, now: datetime, person: Person | None = None
) -> tuple[Violation, ...]:
    """The rules that are violated now; for `person`, if they approved. Empty where nobody can vote."""
    try:
        context = evaluation_context_of(approval_context_of(view, rules=rules), rules=rules, now=now)
    except Denial:
        return ()
    return (
        (*blockers_of(context), *missing_approvals(context))
        if person is None
        else rules_to_override(context, person)
    )


class RelatedSwitchRepository(Protocol):
    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """The live switches of these domains, and the last one of each domain."""
        ...


async def with_related_switches(
    views: Sequence[GateView], *, repository: RelatedSwitchRepository, rules: Rules
) -> list[GateView]:
    """The views, each with the related switches of its domain. Queries only where the rules look at any."""
    wanted = {name for view in views for name in _exclusivity(view, rules).related_domains}
    if not wanted:
        return list(views)
    found = await repository.related_switches(sorted(wanted))
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
    """Loads the related switches before an approval is evaluated. Domains that exclude each other are locked until the
    commit, so that two approvals cannot both pass."""
    exclusivity = _exclusivity(held.view, rules)
    if exclusivity.related_domains:
        await held.load_related_switches(
            sorted(exclusivity.related_domains), exclusive=bool(exclusivity.excludes)
        )


def queue_position_of(view: GateView, *, domain: OwnedDomain, rules: Rules) -> QueuePosition | None:
    """The gate among the related switches; None where its domain's rules look at none."""
    if not domain.policy.exclusivity.related_domains:
        return None
    return QueuePosition(
        opened_at=view.opened_at,
        traffic_moving=_traffic_moves(view),
        related=with_configured_exclusive_until(view.related_switches, rules),
    )


def with_configured_exclusive_until(
    related_switches: Sequence[RelatedSwitch], rules: Rules
) -> tuple[RelatedSwitch, ...]:
    """Sets `exclusive_until` of each switch from its own domain's policy."""
    exclusive_until = {
        one.domain: _exclusivity_of(one.domain, rules).exclusive_until for one in related_switches
    }
    return tuple(replace(one, exclusive_until=exclusive_until[one.domain]) for one in related_switches)


def _traffic_moves(view: GateView) -> bool:
    switch = view.switch
    return not view.before_traffic or switch.switched_at is not None or bool(switch.green_percent)


def _exclusivity(view: GateView, rules: Rules) -> Exclusivity:
    waits = isinstance(view.gate, Awaiting) and not _traffic_moves(view)
    return _exclusivity_of(view.switch.domain, rules) if waits else NO_EXCLUSIVITY


def _exclusivity_of(name: DomainName | None, rules: Rules) -> Exclusivity:
    domain = rules.domain(name) if name else None
    return domain.policy.exclusivity if domain else NO_EXCLUSIVITY
