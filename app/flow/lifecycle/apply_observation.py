"""Stores how traffic has moved, as a poll observed it: the switch, audit events and settled interventions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from app.flow.audit_events import Event, Kind, observed_event
from app.flow.lifecycle.observation import known_previous
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.switches import HeldSwitch, SettledIntervention, SwitchUpdate
from app.flow.read_models import Switch
from app.flow.undo.intervention import Intervention, InterventionPhase, problem_in_event
from app.gate.ids import DeploymentId
from app.gate.undo import InterventionKind

BAD_ENDS: Final = frozenset({"Failed", "Stopped"})


async def apply_observation(held: HeldSwitch, update: SwitchUpdate, *, now: datetime) -> None:
    """Stores what a poll observed, with one audit event for each change."""
    switch = held.switch
    if switch.switched_at is not None and (update.rollback_id or update.status not in BAD_ENDS):
        # Where all traffic has arrived nothing moves; what is read later may be of a rollback's making.
        update = replace(update, green_percent=None)
    events = [
        *_moved(switch, update, now),
        *_switched(switch, update, now),
        *_taken_back(switch, update, now),
    ]
    redraw = bool(events) or update.traffic is not None or update.status != switch.status
    redraw = redraw or (update.previous is not None and update.previous != known_previous(switch))
    redraw = redraw or update.share_returns or update.shift_ended_at is not None
    await held.store(update, events=events, redraw=redraw, now=now)
    if update.rollback_id and update.rollback_id != switch.rollback_id:
        await held.follow_rollback(DeploymentId(update.rollback_id), now=now)
    if update.switched_at is not None and switch.switched_at is None:
        settled = await held.settle_waiting(InterventionPhase.DONE, problem=None, now=now)
        await store_settled(held, settled, now=now)
        await record_rollback_end(held, Kind.ROLLBACK_DONE, now=now)
    if update.rollback_id:
        await store_settled(held, await held.settle_rolled_back(now=now), now=now)


async def record_rollback_end(held: HeldSwitch, kind: Kind, *, now: datetime, problem: str = "") -> None:
    """Records, with each switch that CodeDeploy rolls back by this deployment, how the rollback ended."""
    deployment = held.switch.key.deployment
    await held.add_audit_events(
        [
            observed_event(kind, switch, now, deployment=deployment, problem=problem)
            for switch in await held.rolled_back()
        ]
    )


async def store_settled(held: HeldSwitch, settled: Sequence[SettledIntervention], *, now: datetime) -> None:
    """Stores that these interventions ended. An undo that failed is announced."""
    await held.add_audit_events(_settled_events(settled, now=now))
    for one in settled:
        is_undo = one.intervention.kind is not InterventionKind.FINISH
        if is_undo and one.intervention.phase is InterventionPhase.FAILED:
            await held.announce_at_switch(
                AnnouncementKind.UNDO_FAILED,
                switch=one.switch.key,
                about=str(one.intervention.id),
                now=now,
            )


def _settled_events(settled: Sequence[SettledIntervention], *, now: datetime) -> list[Event]:
    """The timeline's lines of interventions that came to their end."""
    return [
        _settled_event(one.switch, one.intervention, now)
        for one in settled
        if one.intervention.kind is not InterventionKind.FINISH
    ]


def _settled_event(switch: Switch, intervention: Intervention, now: datetime) -> Event:
    event = observed_event(
        Kind.UNDO_DONE if intervention.phase is InterventionPhase.DONE else Kind.UNDO_FAILED,
        switch,
        now,
        intervention=intervention.kind,
        deployment=intervention.deployment or "",
        seconds=round((now - intervention.requested_at).total_seconds()),
    )
    return replace(event, detail={**event.detail, **problem_in_event(intervention.problem)})


def _moved(switch: Switch, update: SwitchUpdate, now: datetime) -> list[Event]:
    percent = update.green_percent
    if not percent or percent == switch.green_percent or update.switched_at is not None:
        return []
    return [observed_event(Kind.TRAFFIC_MOVED, switch, now, percent=percent)]


def _switched(switch: Switch, update: SwitchUpdate, now: datetime) -> list[Event]:
    if update.switched_at is None or switch.switched_at is not None:
        return []
    until = update.blue_until.isoformat() if update.blue_until else ""
    at = update.shift_ended_at.isoformat() if update.shift_ended_at else ""
    return [observed_event(Kind.SWITCHED, switch, now, blue_until=until, switched_at=at)]


def _taken_back(switch: Switch, update: SwitchUpdate, now: datetime) -> list[Event]:
    if not update.rollback_id or update.rollback_id == switch.rollback_id:
        return []
    return [observed_event(Kind.ROLLBACK_SEEN, switch, now, deployment=update.rollback_id)]
