"""Reports a decision to CodeDeploy, and reads the lifecycle event where the call does not say which status is set.

PutLifecycleEventHookExecutionStatus has no idempotency token. A second call, by us or by another caller, is rejected as
already completed; only the lifecycle event then shows which status CodeDeploy has.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.audit_events import CODEDEPLOY, SWITCHGATE, Event, Kind
from app.flow.backoff import backoff
from app.flow.notify.announcement import is_rollback
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.codedeploy import AlreadyAnswered, AnswerRefused, CodeDeployUnavailable, Deployments
from app.flow.ports.database import Claim
from app.flow.read_models import MIN_VISIBLE_DELAY, GateView
from app.gate.deadline import given_up_after
from app.gate.decision import Answer, Verdict
from app.gate.ids import ExecutionId
from app.gate.state_machine import Awaiting, Outcome

RETRY_AFTER: Final = timedelta(milliseconds=300)
MAX_BACKOFF: Final = timedelta(seconds=5)
"""The longest time between two tries: nobody should wait for a report long after it could be sent."""

ANNOUNCE_DELAY_AFTER: Final = timedelta(minutes=2)
"""An approval that CodeDeploy has not accepted for this long is announced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DueReport(Claim):
    """A decision that was not reported to CodeDeploy yet."""

    view: GateView
    execution_id: ExecutionId
    answer: Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The result of a report. `detail`: CodeDeploy's status or error, for the card and the audit trail."""

    outcome: Outcome
    detail: str
    event_read: bool = False
    """Whether the lifecycle event was read. If not, the next poll compares it with the answer."""


class ReportRepository(Protocol):
    """Where due reports are finished, under the lease that they were claimed with."""

    async def mark_reported(
        self,
        due: DueReport,
        result: Result,
        event: Event,
        *,
        announcement: AnnouncementKind | None = None,
        now: datetime,
    ) -> bool: ...

    async def retry_later(
        self,
        due: DueReport,
        *,
        error: str,
        redraw: bool,
        announcement: AnnouncementKind | None = None,
        due_at: datetime,
        now: datetime,
    ) -> None:
        """`redraw`: the card is to say so."""
        ...


async def report_decision(
    due: DueReport, *, repository: ReportRepository, deployments: Deployments, now: datetime
) -> Result | CodeDeployUnavailable:
    """Reports one decision to CodeDeploy; returns the error if it must be retried (the database says when)."""
    try:
        result = await _send(due, deployments=deployments)
    except CodeDeployUnavailable as exc:
        if now < given_up_after(due.view.opened_at):
            again = now + min(backoff(due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF), MAX_BACKOFF)
            redraw = _needs_redraw(due, exc, again=again)
            await repository.retry_later(
                due,
                error=str(exc),
                redraw=redraw,
                announcement=_delay_announcement(due, now=now),
                due_at=again,
                now=now,
            )
            return exc
        result = Result(outcome=Outcome.UNDELIVERABLE, detail=str(exc))
    await repository.mark_reported(
        due, result, _event(due, result, now), announcement=_announcement(due, result), now=now
    )
    return result


async def _send(due: DueReport, *, deployments: Deployments) -> Result:
    key = due.view.switch.key
    try:
        await deployments.answer(key, execution_id=due.execution_id, answer=due.answer)
    except AlreadyAnswered:
        return await _reconcile(due, deployments=deployments)
    except AnswerRefused as exc:
        # The error for a hook that is over is undocumented: the lifecycle event is read to be sure.
        read = await _codedeploy_status(due, deployments=deployments)
        return read or Result(outcome=Outcome.UNDELIVERABLE, detail=str(exc))
    return Result(outcome=Outcome.ACKNOWLEDGED, detail=due.answer)


async def _reconcile(due: DueReport, *, deployments: Deployments) -> Result:
    """Reads which status CodeDeploy has."""
    read = await _codedeploy_status(due, deployments=deployments)
    if read is None:
        # Its reads lag behind its writes: "already completed" and "in progress" at once is only early.
        raise CodeDeployUnavailable(
            "CodeDeploy says that the hook is answered but does not yet show with what"
        )
    return read


async def _codedeploy_status(due: DueReport, *, deployments: Deployments) -> Result | None:
    """The hook's status in CodeDeploy; None while it is not over. The same as ours is a success, whoever sent it."""
    progress = await deployments.hook_progress(due.view.switch.key, hook_name=due.view.hook_name)
    if progress is None or not progress.over:
        return None
    same = progress.status == due.answer
    outcome = Outcome.ACKNOWLEDGED if same else Outcome.CONFLICT
    return Result(outcome=outcome, detail=progress.status, event_read=True)


def _needs_redraw(due: DueReport, exc: CodeDeployUnavailable, *, again: datetime) -> bool:
    """Whether the card, which shows `report_error`, will say something else than it does."""
    decided_at = due.view.decided_at or due.view.opened_at
    return again > decided_at + MIN_VISIBLE_DELAY and due.view.report_error != str(exc)


def _delay_announcement(due: DueReport, *, now: datetime) -> AnnouncementKind | None:
    decided_at = due.view.decided_at or due.view.opened_at
    late = now - decided_at > ANNOUNCE_DELAY_AFTER
    approved = due.answer is Answer.SUCCEEDED and not is_rollback(due.view)
    return AnnouncementKind.REPORT_DELAYED if late and approved else None


def _announcement(due: DueReport, result: Result) -> AnnouncementKind | None:
    """Nobody is called because an expiry could not be delivered: CodeDeploy's own time-out means the same."""
    gate = due.view.gate
    if is_rollback(due.view) or isinstance(gate, Awaiting):
        return None
    if result.outcome is Outcome.CONFLICT:
        return AnnouncementKind.REPORT_CONFLICT
    by_person = gate.verdict in {Verdict.APPROVED, Verdict.REJECTED}
    undeliverable = result.outcome is Outcome.UNDELIVERABLE and by_person
    return AnnouncementKind.REPORT_UNDELIVERABLE if undeliverable else None


_KINDS: Final = {
    Outcome.ACKNOWLEDGED: Kind.REPORT_ACKNOWLEDGED,
    Outcome.CONFLICT: Kind.REPORT_CONFLICT,
    Outcome.UNDELIVERABLE: Kind.REPORT_UNDELIVERABLE,
}


def _event(due: DueReport, result: Result, now: datetime) -> Event:
    return Event(
        at=now,
        kind=_KINDS[result.outcome],
        switch=due.view.switch.key,
        actor=SWITCHGATE if result.outcome is Outcome.ACKNOWLEDGED else CODEDEPLOY,
        domain=due.view.switch.domain,
        gate=due.view.id,
        detail={"answer": due.answer, "codedeploy": result.detail, "attempts": due.attempts},
    )
