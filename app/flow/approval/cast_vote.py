"""Casts a vote: saves it, with the decision if it settles the gate, or denies it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.flow.approval.approval_context import (
    NoSuchGate,
    approval_context_of,
    evaluation_context_of,
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
from app.flow.ports.database import GateRepository, HeldGate
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.decision import Decision, verdict_of
from app.gate.ids import GateId
from app.gate.people import Person
from app.gate.rules.denials import AlreadyHandled, Denial, QuestionsUnanswered, ReasonMissing
from app.gate.rules.evaluation import EvaluationContext, discounted_voters, rejections_missing
from app.gate.rules.violations import Violation
from app.gate.state_machine import Awaiting
from app.gate.votes import NO_REASON, Choice, FormAnswers, QuestionAnswer, Vote


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteRequest:
    """One person's approval or rejection. `prompt_version`: the one that the button was rendered for."""

    gate: GateId
    prompt_version: int
    person: Person
    choice: Choice
    reason: str
    form: FormAnswers | None = None
    """The questions that the approve form asked and that were ticked; None: no form was filled in."""
    request: str | None = None
    """A key that identifies the request, so that a replay changes nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteAccepted:
    """The vote was saved. While `decision` is None, `unmet` are the rules that are still unmet, and
    `rejections_missing` says how many more people would have to reject to end the gate."""

    view: GateView
    decision: Decision | None
    unmet: tuple[Violation, ...] = ()
    rejections_missing: int = 0


FORM_DENIALS: Final = (ReasonMissing, QuestionsUnanswered)
"""A form asks for what is missing then; it is no denial for the record."""


async def cast_vote(
    request: VoteRequest,
    *,
    repository: GateRepository,
    rules: Rules,
    now: datetime,
    traffic: LiveTraffic | None = None,
) -> VoteAccepted:
    """Saves the vote in one transaction. Raises `RequestDenied`; the denial is audited.

    `traffic` reads live traffic before an approval that depends on stale evidence.
    """
    if traffic is None:
        return await _decide(request, NOT_READ, repository=repository, rules=rules, now=now)
    try:
        return await _decide(request, None, repository=repository, rules=rules, now=now)
    except StaleEvidence:  # the transaction is over, and its locks are released
        reading = await traffic.read(request.gate, now=now)
    return await _decide(request, reading, repository=repository, rules=rules, now=now)


async def _decide(
    request: VoteRequest,
    reading: LiveReading | None,
    *,
    repository: GateRepository,
    rules: Rules,
    now: datetime,
) -> VoteAccepted:
    async with repository.hold(request.gate, request=request.request) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            if request.choice is Choice.APPROVE:  # nothing blocks a rejection
                await _require_fresh_evidence(request, held, reading, rules=rules, now=now)
            return await _save(request, held, rules=rules, now=now)
        except Denial as exc:
            denied = await _deny(request, held, exc, rules=rules, now=now)
    raise denied


async def _require_fresh_evidence(
    request: VoteRequest, held: HeldGate, reading: LiveReading | None, *, rules: Rules, now: datetime
) -> None:
    """Raises `StaleEvidence` if the approval would be accepted on evidence that is too old."""
    await lock_exclusivity(held, rules=rules)
    if reading is not None:
        await reading.put_into(held, now=now)
    elif is_stale(held.view, now=now):
        # Raises first for somebody who may not approve: nothing is read from AWS for them.
        _evaluate(request, held.view, rules=rules, now=now)
        raise StaleEvidence


async def check_vote(
    request: VoteRequest, *, repository: GateRepository, rules: Rules, now: datetime
) -> GateView:
    """Whether the vote would be accepted once it has a reason. Raises `RequestDenied`; the denial is audited."""
    async with repository.hold(request.gate) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            _evaluate(request, held.view, rules=rules, now=now)
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
    if not isinstance(denial, FORM_DENIALS):
        await held.add_audit_events(
            [denied_event(requester_actor(request.person), request.choice, held.view, denial, now)]
        )
    unmet = violations_for(held.view, rules=rules, now=now, person=request.person)
    return RequestDenied(denial, held.view, unmet=unmet)


async def _save(request: VoteRequest, held: HeldGate, *, rules: Rules, now: datetime) -> VoteAccepted:
    view = held.view
    evaluated = _evaluate(request, view, rules=rules, now=now)
    is_cast = any(vote.voter == request.person.user and vote.choice is request.choice for vote in view.votes)
    if held.is_replay and not is_cast:
        raise AlreadyHandled
    if evaluated.decision is not None:
        evaluated.counted.decide(evaluated.decision)
    accepted = _accepted(evaluated, view, rules=rules, now=now)
    events = _events(request, view, evaluated, now)
    discounted = discounted_voters(evaluated.after) if evaluated.decision is not None else ()
    await held.save(
        vote=evaluated.vote,
        decision=evaluated.decision,
        discounted=sorted(discounted),
        events=events,
        now=now,
    )
    return accepted


def _accepted(evaluated: "_Evaluated", view: GateView, *, rules: Rules, now: datetime) -> VoteAccepted:
    after = replace(view, gate=evaluated.counted)
    if evaluated.decision is not None:
        return VoteAccepted(view=after, decision=evaluated.decision)
    remaining = evaluation_context_of(approval_context_of(after, rules=rules), rules=rules, now=now)
    return VoteAccepted(
        view=after,
        decision=None,
        unmet=violations_for(after, rules=rules, now=now),
        rejections_missing=rejections_missing(remaining),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Evaluated:
    vote: Vote
    counted: Awaiting
    decision: Decision | None
    after: EvaluationContext
    """What the decision was evaluated against."""


def _evaluate(request: VoteRequest, view: GateView, *, rules: Rules, now: datetime) -> _Evaluated:
    """What the vote would do now. Raises a `Denial`."""
    context = approval_context_of(view, rules=rules)
    roster = rules.roster()
    # In an Enterprise Grid one person may have two ids: a second vote is the same person's.
    who = replace(request.person, user=roster.id_among(request.person.user, context.gate.voters))
    vote = Vote(person=who, choice=request.choice, reason=request.reason.strip(), at=now, form=request.form)
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
    if request.choice is Choice.APPROVE:
        vote = replace(vote, answers=_answers(after, request.form))
    return _Evaluated(vote=vote, counted=counted, decision=decision, after=after)


def _answers(context: EvaluationContext, form: FormAnswers | None) -> tuple[QuestionAnswer, ...]:
    """What is recorded. An approval that is given again has no form: its first answers stay."""
    if form is None:
        return ()
    return tuple(
        QuestionAnswer(question=question.text, confirmed=question.id in form.ticked)
        for question in context.policy.questions
    )


def _events(request: VoteRequest, view: GateView, evaluated: _Evaluated, now: datetime) -> Sequence[Event]:
    decision, answers = evaluated.decision, evaluated.vote.answers
    said = "; ".join(f"{each.question} {'yes' if each.confirmed else 'no'}" for each in answers)
    who = person_actor(request.person.user, request.person.name)
    vote = Event(
        at=now,
        kind=Kind.VOTE_CAST,
        switch=view.switch.key,
        actor=who,
        domain=view.switch.domain,
        gate=view.id,
        detail={
            "choice": request.choice,
            "reason": request.reason.strip(),
            **({"answers": said} if said else {}),
        },
    )
    if decision is None:
        return [replace(vote, detail={**vote.detail, "left_open": True})]
    detail = {"verdict": verdict_of(decision), "reason": request.reason.strip()}
    return [vote, replace(vote, kind=Kind.GATE_DECIDED, detail=detail)]
