"""Somebody asked for a switch to be taken back, or for blue to end: tell CodeDeploy, once, and say what came of it."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

from app.flow.backoff import backoff
from app.flow.codedeploy_ports import (
    AlreadyOver,
    AnotherRuns,
    CannotAsk,
    Deployments,
    Interveners,
    InterventionRefused,
)
from app.flow.events import SWITCHGATE, Event, Kind
from app.flow.record_ports import DueIntervention
from app.flow.views import Setback
from app.gate.ids import GateId
from app.gate.undo import Deed

RETRY: Final = timedelta(milliseconds=300)
LONGEST: Final = timedelta(seconds=10)
PATIENCE: Final = timedelta(minutes=30)
"""How long CodeDeploy is asked again; whoever waits has long looked for another way by then."""


class CarryOutRecord(Protocol):
    """Where due interventions are finished, under the lease that they were claimed with."""

    async def sent(
        self, due: DueIntervention, *, deployment: str | None, done: bool, event: Event, now: datetime
    ) -> list[GateId]:
        """CodeDeploy took it. Gives the gates that wait in the deployment which it made."""
        ...

    async def failed(self, due: DueIntervention, *, problem: str, event: Event, now: datetime) -> None: ...

    async def carry_out_again(
        self, due: DueIntervention, *, problem: str, due_at: datetime, now: datetime
    ) -> None: ...


async def carry_out(
    due: DueIntervention,
    *,
    record: CarryOutRecord,
    interveners: Interveners,
    deployments: Deployments,
    now: datetime,
) -> list[GateId]:
    """Tells CodeDeploy; gives the gates that may now pass freely."""
    try:
        deployment, done = await _tell(due, interveners=interveners, deployments=deployments)
    except CannotAsk as trouble:
        if now - due.intervention.asked_at < PATIENCE:
            again = now + backoff(due.attempts, first=RETRY, longest=LONGEST)
            await record.carry_out_again(due, problem=str(trouble), due_at=again, now=now)
            return []
        problem = str(trouble)
    except AnotherRuns as busy:
        problem = f"{Setback.ANOTHER_RUNS} ({busy})"
    except InterventionRefused as refused:
        problem = str(refused)
    except AlreadyOver as over:
        problem = str(over) or Setback.OVER_FIRST
    else:
        kind = Kind.FINISH_SENT if due.intervention.deed is Deed.FINISH else Kind.UNDO_SENT
        event = _event(due, kind, now, deployment=deployment or "")
        return await record.sent(due, deployment=deployment, done=done, event=event, now=now)
    kind = Kind.FINISH_FAILED if due.intervention.deed is Deed.FINISH else Kind.UNDO_FAILED
    await record.failed(due, problem=problem, event=_event(due, kind, now, why=problem), now=now)
    return []


async def _tell(
    due: DueIntervention, *, interveners: Interveners, deployments: Deployments
) -> tuple[str | None, bool]:
    """The deployment that takes the switch back, where it is known at once; and whether that was all."""
    key, wish = due.switch.key, due.intervention
    match wish.deed:
        case Deed.STOP:
            await _stop(due, interveners=interveners, deployments=deployments)
            return None, False
        case Deed.REDEPLOY:
            mark = f"switchgate-undo:{wish.id}"
            description = f"Undo of {key.deployment}, asked for by {wish.name}"
            return await interveners.redeploy_previous(key, mark=mark, description=description), False
        case Deed.FINISH:
            with suppress(AlreadyOver):  # blue is gone: that is what was asked for
                await interveners.finish(key)
            return None, True
        case _:
            assert_never(wish.deed)


async def _stop(due: DueIntervention, *, interveners: Interveners, deployments: Deployments) -> None:
    """Stops the deployment. One that was stopped already, by a lost try of ours or by others, is as good."""
    try:
        await interveners.stop(due.switch.key)
    except AlreadyOver:
        facts = await deployments.deployment(due.switch.key)
        if facts.status == "Succeeded":
            raise AlreadyOver(Setback.OVER_FIRST) from None


def _event(due: DueIntervention, kind: Kind, now: datetime, **detail: str) -> Event:
    return Event(
        at=now,
        kind=kind,
        switch=due.switch.key,
        actor=SWITCHGATE,
        domain=due.switch.domain,
        detail={"deed": due.intervention.deed, "attempts": due.attempts, **detail},
    )
