"""Break-glass: an admin approves a gate against its rules. The rules and the reason are audited and announced."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.flow.approval.approval_context import (
    NoSuchGate,
    approval_context_of,
    lock_exclusivity,
    violations_for,
)
from app.flow.approval.live_traffic import (
    NOT_READ,
    LiveReading,
    LiveTraffic,
    StaleEvidence,
    is_stale,
)
from app.flow.approval.request_denied import RequestDenied, denied_event
from app.flow.audit_events import Event, Kind, person_actor, requester_actor
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.database import GateRepository, HeldGate
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.decision import Approval, Verdict
from app.gate.ids import GateId
from app.gate.people import Person
from app.gate.rules.denials import AlreadyHandled, Denial, ReasonMissing
from app.gate.rules.permits import Basis
from app.gate.rules.violations import rule_key
from app.gate.votes import Choice, Vote


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakGlassRequest:
    """The submitted form. `named`: the fingerprints of the violated rules that it listed."""

    gate: GateId
    prompt_version: int
    person: Person
    named: frozenset[str]
    reason: str
    request: str | None = None
    """A key that identifies the request, so that a replay changes nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakGlassResult:
    """The gate is approved against the rules."""

    view: GateView
    approval: Approval


async def break_glass(
    request: BreakGlassRequest,
    *,
    repository: GateRepository,
    rules: Rules,
    now: datetime,
    traffic: LiveTraffic | None = None,
) -> BreakGlassResult:
    """Approves in one transaction. Raises `RequestDenied`; the denial is audited.

    `traffic` reads live traffic where the evidence is stale, so that the form names every rule that is overridden.
    """
    if traffic is None:
        return await _decide(request, NOT_READ, repository=repository, rules=rules, now=now)
    try:
        return await _decide(request, None, repository=repository, rules=rules, now=now)
    except StaleEvidence:  # the transaction is over, and its locks are released
        reading = await traffic.read(request.gate, now=now)
    return await _decide(request, reading, repository=repository, rules=rules, now=now)


async def _decide(
    request: BreakGlassRequest,
    reading: LiveReading | None,
    *,
    repository: GateRepository,
    rules: Rules,
    now: datetime,
) -> BreakGlassResult:
    async with repository.hold(request.gate, request=request.request) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            await lock_exclusivity(held, rules=rules)
            is_admin = rules.roster().includes(request.person.user, approvers=rules.admins)
            if reading is None and is_admin and is_stale(held.view, now=now):
                raise StaleEvidence
            if reading is not None:
                await reading.put_into(held, now=now)
            return await _approve(request, held, rules=rules, now=now)
        except Denial as exc:
            if not isinstance(exc, ReasonMissing):
                await held.add_audit_events(
                    [denied_event(requester_actor(request.person), "break_glass", held.view, exc, now)]
                )
            unmet = violations_for(held.view, rules=rules, now=now, person=request.person)
            denied = RequestDenied(exc, held.view, unmet=unmet)
    raise denied


async def _approve(
    request: BreakGlassRequest, held: HeldGate, *, rules: Rules, now: datetime
) -> BreakGlassResult:
    context = approval_context_of(held.view, rules=rules)
    approval = context.gate.break_glass(
        Vote(person=request.person, choice=Choice.APPROVE, reason=request.reason, at=now),
        prompt_version=request.prompt_version,
        policy=context.domain.policy,
        roster=rules.roster(),
        rule_inputs=context.rule_inputs,
        admins=rules.admins,
        named=request.named,
    )
    if held.is_replay:
        raise AlreadyHandled
    context.gate.decide(approval)
    events = _events(request, held, approval, now)
    await held.save(
        vote=None, decision=approval, events=events, announcement=AnnouncementKind.BREAK_GLASS, now=now
    )
    return BreakGlassResult(view=held.view, approval=approval)


def _events(request: BreakGlassRequest, held: HeldGate, approval: Approval, now: datetime) -> list[Event]:
    permit = approval.permit
    used = Event(
        at=now,
        kind=Kind.BREAK_GLASS_USED,
        switch=held.view.switch.key,
        actor=person_actor(request.person.user, request.person.name),
        domain=held.view.switch.domain,
        gate=request.gate,
        detail={
            "overridden_rules": "; ".join(rule_key(rule) for rule in permit.overridden_rules),
            "reason": permit.reason,
        },
    )
    verdict = {"verdict": Verdict.APPROVED, "basis": Basis.BREAK_GLASS, "reason": permit.reason}
    return [used, replace(used, kind=Kind.GATE_DECIDED, detail=verdict)]
