"""Gates: opens and finds them, and holds their row lock during a decision."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, exists, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import INSERT_EVENTS, events_parameter, insert_events
from app.db.audit_lock import GATE_AUDIT_LOCK, TRY_GATE_AUDIT_LOCK
from app.db.database import Database, commit
from app.db.expressions import GATE_PARAM, LIMIT, NOW_PARAM, ONE, condition, is_among, is_none_of, is_one_of
from app.db.gate_view import GATE_VIEW, IS_AWAITING, as_json, undo_that_created
from app.db.handled_requests import SELECT_GATE, read_gate_for_request
from app.db.invalidate_cards import INVALIDATE_CARDS_OF_G, invalidate_cards
from app.db.mapping.interventions import intervention_from_json
from app.db.mapping.overridden_rules import overridden_rules_to_json
from app.db.mapping.rows import gate_view_from_row
from app.db.repositories.exclusivity import (
    EXCLUSIVITY_LOCK,
    RELATED_SWITCHES,
    related_switch_from_row,
    related_switches,
    related_switches_parameters,
)
from app.db.repositories.gate_origin import is_made_by_an_undo, was_withdrawn_by
from app.db.repositories.open_gate import open_gate_parameters, open_gate_statement
from app.db.statements import execute
from app.db.tables import evidence, gates, interventions, switches, votes
from app.flow.audit_events import Event
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.database import OpenedGate, Opening
from app.flow.read_models import GateView
from app.flow.undo.intervention import Intervention
from app.gate.decision import Approval, Decision, Expiry, Rejection, Withdrawal, answer_to, verdict_of
from app.gate.ids import DomainName, GateId, SwitchKey, UserId
from app.gate.people import Build
from app.gate.rules.exclusivity import RelatedSwitch
from app.gate.rules.traffic_guard import TrafficGuard
from app.gate.votes import Vote
from app.observability.metrics import DECISIONS, UNKNOWN_DOMAIN


def _lock(audit_lock: str, *, skip_locked: bool = False) -> Select[Any]:
    return (
        select(gates.c.id)
        .where(gates.c.id == GATE_PARAM, condition(audit_lock))
        .with_for_update(key_share=True, skip_locked=skip_locked)
    )


LOCK_GATE: Final = _lock(GATE_AUDIT_LOCK)
LOCK_GATE_OR_SKIP: Final = _lock(TRY_GATE_AUDIT_LOCK, skip_locked=True)
SELECT_BY_EXECUTION: Final = GATE_VIEW.where(
    switches.c.account == bindparam("account"),
    switches.c.region == bindparam("region"),
    switches.c.deployment_id == bindparam("deployment_id"),
    gates.c.execution_hash == bindparam("execution_hash"),
)
SELECT_PAST_DEADLINE: Final = (
    select(gates.c.id)
    .where(IS_AWAITING, gates.c.deadline_at <= NOW_PARAM, is_none_of(gates.c.id, "skip"))
    .order_by(gates.c.deadline_at)
    .limit(LIMIT)
)
SELECT_NEXT_DEADLINE: Final = select(func.min(gates.c.deadline_at).label("at")).where(
    IS_AWAITING, is_none_of(gates.c.id, "skip")
)

SELECT_TO_OBSERVE: Final = (
    select(gates.c.id)
    .join(switches, switches.c.id == gates.c.switch_id)
    .outerjoin(evidence, evidence.c.gate_id == gates.c.id)
    .where(
        IS_AWAITING,
        gates.c.observed.is_(True),
        switches.c.verified_at.is_not(None),
        is_one_of(switches.c.domain, "domains"),
        or_(evidence.c.seen_at.is_not(None), gates.c.opened_at <= bindparam("opened_before")),
        ~exists().where(votes.c.gate_id == gates.c.id, votes.c.choice == literal_column("'reject'")),
        is_none_of(gates.c.id, "skip"),
    )
    .order_by(gates.c.deadline_at)
    .limit(LIMIT)
)

SAVE_VOTE_AND_DECISION: Final = f"""
WITH g AS (
    UPDATE gates SET
        version = version + 1,
        phase = CASE WHEN CAST(:verdict AS text) IS NULL THEN phase ELSE 'decided' END,
        verdict = CAST(:verdict AS text),
        basis = :basis,
        decided_at = :decided_at,
        decided_by = :decided_by,
        decided_name = :decided_name,
        reason = :reason,
        overridden_rules = CAST(:overridden_rules AS jsonb)
    WHERE id = :gate AND phase = 'awaiting'
    RETURNING id, version, switch_id
), v AS (
    INSERT INTO votes (gate_id, voter, name, choice, reason, voted_at, answers)
    SELECT id, CAST(:voter AS text), :voter_name, :choice, :vote_reason, :now, CAST(:answers AS jsonb)
    FROM g WHERE CAST(:voter AS text) IS NOT NULL
    ON CONFLICT (gate_id, voter) DO UPDATE
        SET choice = excluded.choice, reason = excluded.reason, voted_at = excluded.voted_at,
            answers = CASE WHEN excluded.choice = votes.choice THEN coalesce(excluded.answers, votes.answers)
                ELSE excluded.answers END
), d AS (
    UPDATE votes SET counted = false FROM g WHERE votes.gate_id = g.id AND voter = ANY(CAST(:discounted AS text[]))
), r AS (
    INSERT INTO reports (gate_id, answer, due_at)
    SELECT g.id, CAST(:answer AS text), CASE WHEN s.verified_at IS NOT NULL THEN CAST(:now AS timestamptz) END
    FROM g JOIN switches s ON s.id = g.switch_id WHERE CAST(:answer AS text) IS NOT NULL
), c AS (
    {INVALIDATE_CARDS_OF_G}
), n AS (
    INSERT INTO announcements (gate_id, kind, written_at, due_at)
    SELECT id, CAST(:announcement AS text), :now, :now FROM g WHERE CAST(:announcement AS text) IS NOT NULL
), a AS (
    {INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM g)
)
SELECT version FROM g
"""
"""Writes nothing if the gate no longer waits. As text: one statement instead of six, because a user waits."""

DELETE_VOTE: Final = delete(votes).where(votes.c.gate_id == GATE_PARAM, votes.c.voter == bindparam("user"))
INVALIDATE_CARD: Final = invalidate_cards(gates.c.id == GATE_PARAM, IS_AWAITING)

SELECT_TO_REMIND: Final = (
    select(gates.c.id)
    .where(IS_AWAITING, gates.c.remind_at <= NOW_PARAM, is_none_of(gates.c.id, "skip"))
    .order_by(gates.c.remind_at)
    .limit(LIMIT)
)
STORE_REMINDED: Final = (
    update(gates)
    .where(gates.c.id == GATE_PARAM, IS_AWAITING)
    .values(reminded_at=NOW_PARAM, remind_at=bindparam("following"))
)
_awaiting = (
    select(gates.c.id).where(IS_AWAITING).order_by(gates.c.id).with_for_update(key_share=True, of=gates)
)
RESCHEDULE_REMINDERS: Final = (
    update(gates).where(is_among(gates.c.id, _awaiting), IS_AWAITING).values(remind_at=NOW_PARAM)
)
SELECT_UNDO_THAT_CREATED: Final = (
    select(as_json(interventions).label("intervention"))
    .where(
        *undo_that_created(bindparam("deployment"), account=bindparam("account"), region=bindparam("region"))
    )
    .limit(ONE)
)
REFRESH_EVIDENCE: Final = (
    update(evidence)
    .where(evidence.c.gate_id == GATE_PARAM, evidence.c.due_at > NOW_PARAM)
    .values(due_at=NOW_PARAM)
)


class LostGate(Exception):
    """The gate left `awaiting` under the lock: a defect. Nothing was saved."""


class HeldGateRow:
    """A gate under its row lock; see `app.flow.ports.database.HeldGate`."""

    def __init__(self, connection: AsyncConnection, view: GateView, *, is_replay: bool = False) -> None:
        self._connection = connection
        self._view = view
        self.is_replay = is_replay
        self.decision: Decision | None = None
        """What was saved."""

    @property
    def view(self) -> GateView:
        return self._view

    async def save(
        self,
        *,
        vote: Vote | None,
        decision: Decision | None,
        discounted: Sequence[UserId] = (),
        events: Sequence[Event],
        announcement: AnnouncementKind | None = None,
        now: datetime,
    ) -> None:
        """Writes a vote, the decision that it makes, the report that is now due, the announcement of the decision, and
        their audit events; commits."""
        values = {
            "gate": self._view.id,
            "now": now,
            "voter": vote.person.user if vote else None,
            "voter_name": vote.person.name if vote else None,
            "choice": vote.choice if vote else None,
            "vote_reason": vote.reason if vote else None,
            "answers": _answers_to_json(vote) if vote and vote.answers else None,
            "discounted": list(discounted),
            "announcement": announcement,
            "events": events_parameter(events),
            **_decision_columns(decision),
        }
        if not await execute(self._connection, SAVE_VOTE_AND_DECISION, values):
            raise LostGate(str(self._view.id))
        await commit(self._connection)
        self.decision = decision

    async def refresh_evidence(self, *, now: datetime) -> None:
        """Makes the gate's evidence due at once."""
        await execute(self._connection, REFRESH_EVIDENCE, {"gate": self._view.id, "now": now})

    def use_guard(self, guard: TrafficGuard) -> None:
        """Replaces the guard in `view`."""
        self._view = replace(self._view, guard=guard)

    async def mark_reminded(
        self, *, at: datetime, following: datetime | None, events: Sequence[Event]
    ) -> None:
        """Marks the reminders up to `at` as sent; `events` go to the thread."""
        gate = {"gate": self._view.id, "now": at}
        await execute(self._connection, STORE_REMINDED, {**gate, "following": following})
        if events:
            await execute(self._connection, INVALIDATE_CARD, gate)
        await insert_events(self._connection, events)

    async def load_related_switches(self, domains: Sequence[DomainName], *, exclusive: bool) -> None:
        """Adds these domains' switches to `view`; `exclusive`: under the lock that is taken last of all."""
        if exclusive:
            # A statement of its own, before the read: a read in the statement that waits for a lock is stale.
            await execute(self._connection, EXCLUSIVITY_LOCK, {})
        rows = await execute(self._connection, RELATED_SWITCHES, related_switches_parameters(domains))
        self._view = replace(self._view, related_switches=tuple(map(related_switch_from_row, rows)))

    async def originating_undo(self) -> Intervention | None:
        """The undo that made this gate's deployment."""
        key = self._view.switch.key
        where = {"deployment": key.deployment, "account": key.account, "region": key.region}
        rows = await execute(self._connection, SELECT_UNDO_THAT_CREATED, where)
        return intervention_from_json(rows[0].intervention) if rows else None

    async def is_made_by_an_undo(self) -> bool:
        """Whether an undo of ours made this gate's deployment, or is just making it."""
        return await is_made_by_an_undo(self._connection, self._view)

    async def was_withdrawn_by(self, build: Build) -> bool:
        """Whether this token withdrew it for this build."""
        return await was_withdrawn_by(self._connection, self._view, build)

    async def forget(self, voter: UserId, *, events: Sequence[Event], now: datetime) -> None:
        """Deletes a vote and invalidates the card."""
        gate = {"gate": self._view.id}
        await execute(self._connection, DELETE_VOTE, {**gate, "user": voter})
        if not await execute(self._connection, INVALIDATE_CARD, {**gate, "now": now}):
            raise LostGate(str(self._view.id))
        await insert_events(self._connection, events)

    async def add_audit_events(self, events: Sequence[Event]) -> None:
        await insert_events(self._connection, events)


class Gates:
    """See `app.flow.ports.database.GateRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, gate: GateId) -> GateView | None:
        """A gate, without its lock."""
        rows = await self._database.execute(SELECT_GATE, gate=gate)
        return gate_view_from_row(rows[0]) if rows else None

    async def find(self, key: SwitchKey, *, execution_digest: str) -> GateView | None:
        """The gate of one hook execution."""
        rows = await self._database.execute(
            SELECT_BY_EXECUTION,
            account=key.account,
            region=key.region,
            deployment_id=key.deployment,
            execution_hash=execution_digest,
        )
        return gate_view_from_row(rows[0]) if rows else None

    async def open(self, opening: Opening, events: Sequence[Event]) -> OpenedGate | None:
        """Opens the gate; None when its hook is known already."""
        rows = await self._database.execute(
            open_gate_statement(opening), **open_gate_parameters(opening, events)
        )
        return OpenedGate(undoes=rows[0].undoes) if rows else None

    @asynccontextmanager
    async def hold(
        self, gate: GateId, *, skip_locked: bool = False, request: str | None = None
    ) -> AsyncIterator[HeldGateRow | None]:
        """The gate under its row lock until the block ends; None when there is none (or it is held).

        `request`: the key of the request that it is held for. It is committed unless the block raises, so also when
        the request was denied.
        """
        # Lock first, in a statement of its own: a read in the statement that waits for a lock is stale.
        lock = LOCK_GATE_OR_SKIP if skip_locked else LOCK_GATE
        async with self._database.transaction() as connection:
            if not await execute(connection, lock, {"gate": gate}):
                yield None
                return
            view, is_replay = await read_gate_for_request(connection, gate, request)
            held = HeldGateRow(connection, view, is_replay=is_replay)
            yield held
        if held.decision is not None:
            DECISIONS.labels(
                verdict=verdict_of(held.decision), domain=view.switch.domain or UNKNOWN_DOMAIN
            ).inc()

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """These domains' switches that live, and the last one of each."""
        return await related_switches(self._database, domains)

    async def past_deadline(self, *, now: datetime, limit: int, skip: Sequence[GateId]) -> Sequence[GateId]:
        """Waiting gates whose deadline has come, the longest due first."""
        rows = await self._database.execute(SELECT_PAST_DEADLINE, now=now, limit=limit, skip=list(skip))
        return [GateId(row.id) for row in rows]

    async def to_remind(self, *, now: datetime, limit: int, skip: Sequence[GateId]) -> Sequence[GateId]:
        """Waiting gates whose next reminder has come."""
        rows = await self._database.execute(SELECT_TO_REMIND, now=now, limit=limit, skip=list(skip))
        return [GateId(row.id) for row in rows]

    async def plan_reminders(self, *, now: datetime) -> None:
        """Reschedules the reminders of all waiting gates after a configuration change."""
        await self._database.execute(RESCHEDULE_REMINDERS, now=now)

    async def to_observe(
        self, domains: Sequence[DomainName], *, opened_before: datetime, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateId]:
        """See `app.flow.approval.approve_observed.ObservedGates`."""
        where = {"domains": list(domains), "skip": list(skip), "opened_before": opened_before}
        rows = await self._database.execute(SELECT_TO_OBSERVE, **where, limit=limit)
        return [GateId(row.id) for row in rows]

    async def next_deadline(self, *, skip: Sequence[GateId]) -> datetime | None:
        """When the next waiting gate ends unless somebody decides."""
        rows = await self._database.execute(SELECT_NEXT_DEADLINE, skip=list(skip))
        at: datetime | None = rows[0].at
        return at

    async def add_audit_events(self, events: Sequence[Event]) -> None:
        """Audit events that belong to no change of a gate."""
        await self._database.execute(INSERT_EVENTS, events=events_parameter(events))


def _answers_to_json(vote: Vote) -> str:
    return json.dumps([asdict(answer) for answer in vote.answers])


def _decision_columns(decision: Decision | None) -> dict[str, Any]:
    if decision is None:
        names = (
            "verdict",
            "basis",
            "decided_at",
            "decided_by",
            "decided_name",
            "reason",
            "overridden_rules",
            "answer",
        )
        return dict.fromkeys(names)
    verdict = verdict_of(decision)
    columns: dict[str, Any] = {
        "verdict": verdict,
        "basis": None,
        "decided_at": decision.at,
        "decided_by": None,
        "decided_name": None,
        "reason": None,
        "overridden_rules": None,
        "answer": answer_to(verdict),
    }
    match decision:
        case Approval(permit=permit):
            return columns | {
                "basis": permit.basis,
                "decided_by": permit.by,
                "decided_name": permit.name,
                "reason": permit.reason,
                "overridden_rules": overridden_rules_to_json(permit.overridden_rules),
            }
        case Rejection() | Withdrawal():
            who = {"decided_by": decision.by, "decided_name": decision.name}
            return columns | who | {"reason": decision.reason}
        case Expiry():
            return columns
