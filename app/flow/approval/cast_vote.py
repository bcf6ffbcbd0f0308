"""A person pressed: count the vote, decide if it settles the gate, or say why it does not count."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.flow.approval.approval_context import (
    NoSuchGate,
    approval_context_of,
    evaluation_context_of,
    lock_exclusivity,
    violations_for,
)
from app.flow.approval.live_traffic import (
    LiveReading,
    LiveTraffic,
    StaleEvidence,
    is_stale,
    with_live_traffic,
)
from app.flow.audit_events import Detail, Event, Kind, person_actor
from app.flow.ports.database import GateRecord, HeldGate
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.decision import Decision, verdict_of
from app.gate.ids import GateId
from app.gate.people import Person
from app.gate.rules.denials import AlreadyHandled, Denial, HeldBack, ReasonMissing
from app.gate.rules.evaluation import EvaluationContext, discounted_voters, rejections_missing
from app.gate.rules.violations import Violation, rule_key
from app.gate.state_machine import Awaiting
from app.gate.votes import NO_REASON, Choice, Vote


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteRequest:
    """One person's approve or reject. `prompt_version` is the one that the pressed button was drawn for."""

    gate: GateId
    prompt_version: int
    person: Person
    choice: Choice
    reason: str
    request: str | None = None
    """A key of the request by which it counts once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteAccepted:
    """The vote stands. While `decision` is None, `owed` are the rules that are still unmet, and
    `rejections_missing` says how many more people would have to reject to end the gate."""

    view: GateView
    decision: Decision | None
    owed: tuple[Violation, ...] = ()
    rejections_missing: int = 0


class RequestDenied(Exception):
    """The press does not count; `view` is the gate as it stands, for the answer to the presser.

    `unmet` are the rules that an approval by this person would meet unmet.
    """

    def __init__(self, denial: Denial, view: GateView | None, *, unmet: tuple[Violation, ...] = ()) -> None:
        super().__init__(type(denial).__name__)
        self.denial = denial
        self.view = view
        self.unmet = unmet


async def cast_vote(
    request: VoteRequest,
    *,
    record: GateRecord,
    rules: Rules,
    now: datetime,
    traffic: LiveTraffic | None = None,
) -> VoteAccepted:
    """Counts the press in one transaction. Raises `RequestDenied`, having recorded it; the gate is unchanged.

    `traffic`: reads live traffic before an approval that only stale evidence lets pass; see there.
    """

    async def decide(reading: LiveReading | None) -> VoteAccepted:
        return await _decide(request, reading, record=record, rules=rules, now=now)

    return await with_live_traffic(decide, request.gate, traffic=traffic, now=now)


async def _decide(
    request: VoteRequest, reading: LiveReading | None, *, record: GateRecord, rules: Rules, now: datetime
) -> VoteAccepted:
    async with record.hold(request.gate, request=request.request) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            if request.choice is Choice.APPROVE:  # nothing that others do holds a rejection back
                await _look_at_traffic(request, held, reading, rules=rules, now=now)
            return await _count(request, held, rules=rules, now=now)
        except Denial as exc:
            denied = await _deny(request, held, exc, rules=rules, now=now)
    raise denied


async def _look_at_traffic(
    request: VoteRequest, held: HeldGate, reading: LiveReading | None, *, rules: Rules, now: datetime
) -> None:
    """Raises `StaleEvidence` where the approval would count and what it is judged by is too old."""
    await lock_exclusivity(held, rules=rules)
    if reading is not None:
        await reading.put_into(held, now=now)
    elif is_stale(held.view, now=now):
        _judge(request, held.view, rules=rules, now=now)  # who may not approve has nothing read
        raise StaleEvidence


async def check_vote(request: VoteRequest, *, record: GateRecord, rules: Rules, now: datetime) -> GateView:
    """Whether the press would count once its reason is given. Raises `RequestDenied`, having recorded it."""
    async with record.hold(request.gate) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            _judge(request, held.view, rules=rules, now=now)
        except ReasonMissing:
            return held.view
        except Denial as exc:
            denied = await _deny(request, held, exc, rules=rules, now=now)
        else:
            return held.view
    raise denied


async def _deny(
    request: VoteRequest, held: HeldGate, denial: Denial, *, rules: Rules, now: datetime
) -> RequestDenied:
    if not isinstance(denial, ReasonMissing):  # whoever is asked for a reason has not been refused
        await held.note([denied_event(request.person, request.choice, held.view, denial, now)])
    unmet = violations_for(held.view, rules=rules, now=now, person=request.person)
    return RequestDenied(denial, held.view, unmet=unmet)


async def _count(request: VoteRequest, held: HeldGate, *, rules: Rules, now: datetime) -> VoteAccepted:
    view = held.view
    judged = _judge(request, view, rules=rules, now=now)
    stands = any(vote.voter == request.person.user and vote.choice is request.choice for vote in view.votes)
    if held.is_replay and not stands:
        raise AlreadyHandled
    if judged.decision is not None:
        judged.counted.decide(judged.decision)
    counted = _counted(judged, view, rules=rules, now=now)
    events = _events(request, view, judged.decision, now)
    left_out = discounted_voters(judged.after) if judged.decision is not None else ()
    await held.save(
        vote=judged.vote, decision=judged.decision, discounted=sorted(left_out), events=events, now=now
    )
    return counted


def _counted(judged: "_Judged", view: GateView, *, rules: Rules, now: datetime) -> VoteAccepted:
    after = replace(view, gate=judged.counted)
    if judged.decision is not None:
        return VoteAccepted(view=after, decision=judged.decision)
    left = evaluation_context_of(approval_context_of(after, rules=rules), rules=rules, now=now)
    return VoteAccepted(
        view=after,
        decision=None,
        owed=violations_for(after, rules=rules, now=now),
        rejections_missing=rejections_missing(left),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    vote: Vote
    counted: Awaiting
    decision: Decision | None
    after: EvaluationContext
    """By what the decision was judged."""


def _judge(request: VoteRequest, view: GateView, *, rules: Rules, now: datetime) -> _Judged:
    """What the press would do now. Raises a `Denial`."""
    context = approval_context_of(view, rules=rules)
    roster = rules.roster()
    # In an Enterprise Grid one person may press by two ids: the second press is the same person's.
    who = replace(request.person, user=roster.known_as(request.person.user, context.gate.voters))
    vote = Vote(person=who, choice=request.choice, reason=request.reason.strip(), at=now)
    counted, decision = context.gate.vote(
        vote,
        prompt_version=request.prompt_version,
        policy=context.domain.policy,
        roster=roster,
        rule_inputs=context.rule_inputs,
    )
    if request.choice is Choice.REJECT and not vote.reason:
        vote = replace(vote, reason=NO_REASON)
    after = evaluation_context_of(replace(context, gate=counted), rules=rules, now=now)
    return _Judged(vote=vote, counted=counted, decision=decision, after=after)


def _events(
    request: VoteRequest, view: GateView, decision: Decision | None, now: datetime
) -> Sequence[Event]:
    who = person_actor(request.person.user, request.person.name)
    vote = Event(
        at=now,
        kind=Kind.VOTE_CAST,
        switch=view.switch.key,
        actor=who,
        domain=view.switch.domain,
        gate=view.id,
        detail={"choice": request.choice, "reason": request.reason.strip()},
    )
    if decision is None:
        return [replace(vote, detail={**vote.detail, "left_open": True})]
    detail = {"verdict": verdict_of(decision), "reason": request.reason.strip()}
    return [vote, replace(vote, kind=Kind.GATE_DECIDED, detail=detail)]


def denied_event(who: Person, choice: str, view: GateView, denial: Denial, now: datetime) -> Event:
    """A press that did not count, for the audit trail."""
    return Event(
        at=now,
        kind=Kind.VOTE_DENIED,
        switch=view.switch.key,
        actor=person_actor(who.user, who.name),
        domain=view.switch.domain,
        gate=view.id,
        detail={"choice": choice, "why": type(denial).__name__, **_rules_of(denial)},
    )


def _rules_of(denial: Denial) -> dict[str, Detail]:
    """Which rules held the press back."""
    held = denial.blockers if isinstance(denial, HeldBack) else ()
    return {"rules": "; ".join(map(rule_key, held))} if held else {}
