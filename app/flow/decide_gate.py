"""A person pressed: count the vote, decide if it settles the gate, or say why it does not count."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.flow.events import Event, Kind, person
from app.flow.ports import GateRecord, HeldGate, Rules
from app.flow.views import GateView
from app.gate.decision import Decision, verdict_of
from app.gate.ids import GateId
from app.gate.policy import Choice, Person, ReasonMissing, Refusal
from app.gate.states import AlreadyDecided, Awaiting, NotVerified, Vote


class NoSuchGate(Refusal):
    """The button names a gate that the record does not hold."""


class Unconfigured(Refusal):
    """The gate's domain has left the configuration: no rule says who may decide, so nobody may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Press:
    """One person's approve or reject. `edition` is the one that the pressed button was drawn for."""

    gate: GateId
    edition: int
    person: Person
    choice: Choice
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """The vote stands. `decision` is None while more approvals are owed (`owed` of them)."""

    view: GateView
    decision: Decision | None
    owed: int


class Refused(Exception):
    """The press does not count; `view` is the gate as it stands, for the answer to the presser."""

    def __init__(self, refusal: Refusal, view: GateView | None) -> None:
        super().__init__(type(refusal).__name__)
        self.refusal = refusal
        self.view = view


async def decide_gate(press: Press, *, record: GateRecord, rules: Rules, now: datetime) -> Counted:
    """Counts the press in one transaction. Raises `Refused`, having recorded it; the gate is unchanged."""
    async with record.hold(press.gate) as held:
        if held is None:
            raise Refused(NoSuchGate(), None)
        try:
            return await _count(press, held, rules=rules, now=now)
        except Refusal as refusal:
            await held.note([_refused(press, held.view, refusal, now)])
            refused = Refused(refusal, held.view)
    raise refused


async def may_press(press: Press, *, record: GateRecord, rules: Rules, now: datetime) -> GateView:
    """Whether a rejection would count once its reason is given. Raises `Refused`, having recorded it."""
    async with record.hold(press.gate) as held:
        if held is None:
            raise Refused(NoSuchGate(), None)
        try:
            _judge(press, held.view, rules=rules, now=now)
        except ReasonMissing:
            return held.view
        except Refusal as refusal:
            await held.note([_refused(press, held.view, refusal, now)])
            refused = Refused(refusal, held.view)
        else:
            return held.view
    raise refused


async def _count(press: Press, held: HeldGate, *, rules: Rules, now: datetime) -> Counted:
    view = held.view
    judged = _judge(press, view, rules=rules, now=now)
    if judged.decision is not None:
        judged.counted.decide(judged.decision)
    events = _events(press, view, judged.decision, now)
    await held.save(vote=judged.vote, decision=judged.decision, events=events, now=now)
    return Counted(view=replace(view, gate=judged.counted), decision=judged.decision, owed=judged.owed)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    vote: Vote
    counted: Awaiting
    decision: Decision | None
    owed: int


def _judge(press: Press, view: GateView, *, rules: Rules, now: datetime) -> _Judged:
    """What the press would do now. Raises a `Refusal`."""
    if not isinstance(view.gate, Awaiting):
        raise AlreadyDecided
    if view.switch.domain is None:
        raise NotVerified
    domain = rules.domain(view.switch.domain)
    if domain is None:
        raise Unconfigured
    vote = Vote(person=press.person, choice=press.choice, reason=press.reason.strip(), at=now)
    counted, decision = view.gate.vote(
        vote, edition=press.edition, policy=domain.policy, roster=rules.roster()
    )
    standing = sum(
        rules.roster().holds(user, approvers=domain.policy.approvers) for user in counted.approved_by
    )
    owed = 0 if decision else domain.policy.approvals - standing
    return _Judged(vote=vote, counted=counted, decision=decision, owed=owed)


def _events(press: Press, view: GateView, decision: Decision | None, now: datetime) -> Sequence[Event]:
    who = person(press.person.user, press.person.name)
    vote = Event(
        at=now,
        kind=Kind.VOTE_CAST,
        switch=view.switch.key,
        actor=who,
        domain=view.switch.domain,
        gate=view.id,
        detail={"choice": press.choice, "reason": press.reason.strip()},
    )
    if decision is None:
        return [vote]
    detail = {"verdict": verdict_of(decision), "reason": press.reason.strip()}
    return [vote, replace(vote, kind=Kind.GATE_DECIDED, detail=detail)]


def _refused(press: Press, view: GateView, refusal: Refusal, now: datetime) -> Event:
    return Event(
        at=now,
        kind=Kind.PRESS_REFUSED,
        switch=view.switch.key,
        actor=person(press.person.user, press.person.name),
        domain=view.switch.domain,
        gate=view.id,
        detail={"choice": press.choice, "why": type(refusal).__name__},
    )
