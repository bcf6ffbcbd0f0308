"""Compares the status of a gate's lifecycle event in CodeDeploy with the answer that was sent from here.

A 200 means only that CodeDeploy accepted the call; the event shows afterwards which status it has. Anybody with the IAM
permission can set that status in another way, for example with the AWS CLI. The gate is then closed here.
"""

from datetime import datetime, timedelta
from typing import Final

from app.flow.audit_events import Kind, observed_event
from app.flow.lifecycle.confirm_hook import waiting_hook
from app.flow.notify.announcement import is_rollback
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.codedeploy import Target
from app.flow.ports.switches import HeldSwitch
from app.flow.read_models import GateView
from app.gate.decision import Answer, answer_to
from app.gate.ids import DomainName
from app.gate.state_machine import Awaiting, Outcome, Reported

ELSEWHERE: Final = "answered elsewhere: CodeDeploy holds Succeeded, and nobody here answered"
WAIT_FOR_EVENT: Final = timedelta(seconds=30)
"""How long a deployment that is over is read again, because its reads lag behind, before its gate is closed."""


async def compare_answers(held: HeldSwitch, target: Target, *, now: datetime) -> None:
    """Compares each answer that CodeDeploy accepted with the event's status; a difference is stored and audited."""
    for view in held.open_gates:
        event = target.events.get(view.hook_name)
        if not is_unread(view) or event is None or not event.over or isinstance(view.gate, Awaiting):
            continue
        answer = answer_to(view.gate.verdict)
        differs = event.status != answer
        conflict = observed_event(
            Kind.REPORT_CONFLICT,
            held.switch,
            now,
            gate=view.id,
            answer=answer,
            codedeploy=event.status,
        )
        await held.compare(
            view,
            codedeploy_status=event.status,
            differs=differs,
            events=[conflict] if differs else [],
            now=now,
        )
        if differs and not is_rollback(view):
            await held.announce(AnnouncementKind.REPORT_CONFLICT, gate=view.id, now=now)


async def close_answered(
    held: HeldSwitch, target: Target, *, domain: DomainName | None, now: datetime
) -> None:
    """Closes each waiting gate whose lifecycle event another caller answered with `Succeeded`: traffic moves.

    `Failed` and `Skipped` move none, and the deployment ends a moment later: its ending says whether that was an
    answer, a stop or a time-out. While another hook waits, the event may be another's than this gate's.
    """
    if waiting_hook(target) is not None:
        return
    for view in held.open_gates:
        event = target.events.get(view.hook_name)
        if not isinstance(view.gate, Awaiting) or event is None or event.status != Answer.SUCCEEDED:
            continue
        withdrawn = observed_event(
            Kind.GATE_WITHDRAWN,
            held.switch,
            now,
            gate=view.id,
            domain=domain,
            reason=ELSEWHERE,
            codedeploy=event.status,
        )
        await held.close(
            view.gate.ended(), reason=ELSEWHERE, codedeploy_status=event.status, events=[withdrawn], now=now
        )
        await held.announce(AnnouncementKind.REPORT_CONFLICT, gate=view.id, now=now)


def is_unread(view: GateView) -> bool:
    """Whether CodeDeploy took this gate's answer and its lifecycle event has not been read since."""
    acknowledged = isinstance(view.gate, Reported) and view.outcome is Outcome.ACKNOWLEDGED
    return acknowledged and view.event_read_at is None


def may_still_be_read(view: GateView, *, now: datetime) -> bool:
    """Whether it is worth waiting for the event of an answer before the gate is closed."""
    return is_unread(view) and view.reported_at is not None and now - view.reported_at < WAIT_FOR_EVENT
