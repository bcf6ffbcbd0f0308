"""Closes a switch and its gates when its deployment has ended, or turned out not to be ours."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from app.flow.audit_events import Kind, observed_event
from app.flow.lifecycle.apply_observation import record_rollback_end, store_settled
from app.flow.lifecycle.compare_answers import may_still_be_read
from app.flow.notify.announcement import expired_while_away, is_rollback
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.codedeploy import DeploymentFacts
from app.flow.ports.switches import HeldSwitch
from app.flow.read_models import GateView
from app.flow.switch_progress import was_stopped_here
from app.flow.undo.intervention import InterventionFailure, InterventionPhase, InterventionProblem
from app.gate.decision import Verdict
from app.gate.ids import DeploymentId
from app.gate.state_machine import Awaiting, Closed, Decided, Outcome, Reported
from app.gate.undo import InterventionKind


async def close_switch(
    held: HeldSwitch, facts: DeploymentFacts, *, rollback_may_come: bool, share_lost: bool, now: datetime
) -> None:
    """Closes the switch and its gates.

    It is polled for a while longer to find its rollback (`rollback_may_come`), or where the traffic stayed
    (`share_lost`).
    """
    if held.switch.ended_at is None:
        failed = _failed_after_approval(held, facts)
        undecided = [await _close(held, view, facts.end_reason, now=now) for view in held.open_gates]
        if any(undecided):
            return  # a report is under way and finds out what CodeDeploy holds; then this is done again
        await held.end(
            end_reason=facts.end_reason,
            due_at=now if rollback_may_come or share_lost else None,
            events=[observed_event(Kind.SWITCH_ENDED, held.switch, now, end_reason=facts.end_reason)],
            now=now,
        )
        undone = await _settle_waiting(held, facts, now=now)
        await _announce_failure(held, facts, failed=failed, undone=undone, now=now)
    if not rollback_may_come:
        await _settle_own(held, facts, now=now)


async def reject_switch(held: HeldSwitch, why: str, *, now: datetime) -> None:
    """CodeDeploy does not confirm that this is ours: no report will ever be sent."""
    for view in held.open_gates:
        match view.gate:
            case Awaiting():
                withdrawn = observed_event(Kind.GATE_WITHDRAWN, held.switch, now, gate=view.id, reason=why)
                await held.close(view.gate.ended(), reason=why, events=[withdrawn], now=now)
            case Decided():
                untold = observed_event(
                    Kind.REPORT_UNDELIVERABLE, held.switch, now, gate=view.id, codedeploy=why
                )
                await held.close(view.gate.ended(), reason=None, events=[untold], now=now)
            case Reported():
                await held.close(view.gate.ended(), reason=None, events=[], now=now)
            case Closed():
                pass
            case _:
                assert_never(view.gate)
    ended = observed_event(Kind.SWITCH_ENDED, held.switch, now, end_reason=why)
    await held.end(end_reason=why, due_at=None, events=[ended], now=now)


async def _close(held: HeldSwitch, view: GateView, end_reason: str, *, now: datetime) -> bool:
    """Closes one gate; True: its decision is not reported, or CodeDeploy's status is not read yet."""
    match view.gate:
        case Awaiting():
            withdrawn = observed_event(Kind.GATE_WITHDRAWN, held.switch, now, gate=view.id, reason=end_reason)
            await held.close(view.gate.ended(), reason=end_reason, events=[withdrawn], now=now)
            if expired_while_away(view.gate, now=now):
                await held.announce(AnnouncementKind.EXPIRED_WHILE_AWAY, gate=view.id, now=now)
        case Reported() if may_still_be_read(view, now=now):
            return True
        case Reported():
            await held.close(view.gate.ended(), reason=None, events=[], now=now)
        case Decided():
            return True
        case Closed():
            pass
        case _:
            assert_never(view.gate)
    return False


def _failed_after_approval(held: HeldSwitch, facts: DeploymentFacts) -> bool:
    """Whether the deployment failed although it was approved here, and nobody here stopped it."""
    return facts.status != "Succeeded" and any(
        isinstance(view.gate, Reported)
        and view.gate.verdict is Verdict.APPROVED
        and view.outcome is Outcome.ACKNOWLEDGED
        and not is_rollback(view)
        and not was_stopped_here(view, facts.end_reason)
        for view in held.open_gates
    )


async def _announce_failure(
    held: HeldSwitch, facts: DeploymentFacts, *, failed: bool, undone: bool, now: datetime
) -> None:
    """`undone`: this deployment was an undo's, so its failure is that of the undo."""
    key, rolled_back = held.switch.key, held.switch.rollback_of
    if failed:
        await held.announce_at_switch(AnnouncementKind.DEPLOYMENT_FAILED, switch=key, now=now)
    if rolled_back and not undone and facts.status != "Succeeded":
        original = replace(key, deployment=DeploymentId(rolled_back))
        await held.announce_at_switch(AnnouncementKind.ROLLBACK_FAILED, switch=original, now=now)


async def _settle_waiting(held: HeldSwitch, facts: DeploymentFacts, *, now: datetime) -> bool:
    """Ends what was asked of another switch, and this deployment was to bring about; whether there was anything."""
    phase, problem = InterventionPhase.DONE, None
    if facts.status != "Succeeded":
        detail = f"{held.switch.key.deployment}: {facts.end_reason}"
        phase, problem = InterventionPhase.FAILED, InterventionProblem(detail=detail)
    settled = await held.settle_waiting(phase, problem=problem, now=now)
    await store_settled(held, settled, now=now)
    if facts.status != "Succeeded" and held.switch.switched_at is None:
        await record_rollback_end(held, Kind.ROLLBACK_FAILED, now=now, problem=facts.end_reason)
    return bool(settled)


async def _settle_own(held: HeldSwitch, facts: DeploymentFacts, *, now: datetime) -> None:
    """What was asked of this switch and can no longer come true, or has."""
    succeeded = facts.status == "Succeeded"
    if succeeded or not facts.rollback_id:
        code = InterventionFailure.TOO_LATE if succeeded else InterventionFailure.NO_ROLLBACK
        stopped = await held.settle_own(
            InterventionKind.STOP, InterventionPhase.FAILED, problem=InterventionProblem(code=code), now=now
        )
        await store_settled(held, stopped, now=now)
    finished = InterventionPhase.DONE if succeeded else InterventionPhase.FAILED
    problem = None if succeeded else InterventionProblem(detail=facts.end_reason)
    await held.settle_own(InterventionKind.FINISH, finished, problem=problem, now=now)
