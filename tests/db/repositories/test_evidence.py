"""Stored evidence: unchanged after the decision, and readable whatever release wrote it."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from app.db.database import Database
from app.db.leases import LEASE_DURATION
from app.db.mapping.evidence_json import evidence_from_json, evidence_to_json
from app.db.repositories.evidence import EvidenceRows
from app.db.repositories.messages.cards import Cards
from app.flow.evidence.collect_evidence import LONG_INTERVAL, SHORT_INTERVAL, poll_interval
from app.flow.ports.evidence import DueEvidence
from app.gate.evidence.model import Evidence, Missing, MissingReason, Targets
from app.gate.evidence.revision_diff import Change, ChangedPart, ChangeKind
from app.gate.ids import GateId
from app.gate.state_machine import Awaiting
from tests.db.sample_rows import AWAITING, DECIDE, DECIDED, fill
from tests.gate.seen import AT, evidence, side

HEALTHY = evidence()
UNHEALTHY = evidence(green=side(health=(Targets(state="unhealthy", count=2, reason="Target.Timeout"),)))
GATE = GateId(AWAITING)


@pytest.fixture
async def filled(database: Database, database_url: str) -> Database:
    """One gate of each phase; the waiting one is due."""
    fill(database_url)
    await database.execute(
        "UPDATE evidence SET seen = NULL, seen_at = NULL, due_at = :at WHERE gate_id = :gate",
        at=AT,
        gate=AWAITING,
    )
    return database


async def claimed(rows: EvidenceRows, *, at: timedelta = timedelta()) -> DueEvidence:
    (due,) = await rows.claim(now=AT + at, limit=5)
    return due


async def keep(rows: EvidenceRows, due: DueEvidence, seen: Evidence) -> bool:
    """Kept, and due again at the same moment."""
    return await rows.seen(due, seen, blockers=[], events=[], settled=True, due_at=AT, now=AT)


async def card(database: Database) -> tuple[int, int]:
    """The waiting gate's version, and the one that its card should show."""
    statement = (
        "SELECT g.version, c.wanted_version FROM gates g JOIN cards c ON c.gate_id = g.id WHERE g.id = :gate"
    )
    row = (await database.execute(statement, gate=AWAITING))[0]
    return row.version, row.wanted_version


async def test_what_is_seen_is_kept_and_shown(filled: Database) -> None:
    rows = EvidenceRows(filled, uuid4())
    due = await claimed(rows)
    assert (due.known, due.waiting_gates) == (None, 1)
    before, _ = await card(filled)
    assert await keep(rows, due, HEALTHY) is True
    assert await card(filled) == (before + 1, before + 1)
    view = await rows.get(GATE)
    assert view is not None
    assert view.evidence == HEALTHY
    (drawn,) = [
        one
        for one in await Cards(filled, uuid4()).claim(now=AT + timedelta(days=900), limit=9)
        if one.view.id == GATE
    ]
    assert drawn.view.evidence == HEALTHY


async def test_the_same_once_more_has_nothing_redrawn(filled: Database) -> None:
    rows = EvidenceRows(filled, uuid4())
    await keep(rows, await claimed(rows), HEALTHY)
    before = await card(filled)
    later = evidence(collected_at=AT + timedelta(minutes=1))
    assert await keep(rows, await claimed(rows), later) is True
    assert await card(filled) == before
    await keep(rows, await claimed(rows), UNHEALTHY)
    assert await card(filled) == (before[0] + 1, before[0] + 1)


async def test_evidence_that_comes_after_the_decision_changes_nothing(
    filled: Database, database_url: str
) -> None:
    rows = EvidenceRows(filled, uuid4())
    await keep(rows, await claimed(rows), HEALTHY)
    late = await claimed(rows)
    with psycopg.connect(database_url) as connection:
        connection.execute(DECIDE, [AWAITING])
    assert await keep(rows, late, UNHEALTHY) is False
    view = await rows.get(GATE)
    assert view is not None
    assert view.evidence == HEALTHY
    (again,) = await rows.claim(now=AT, limit=5)
    assert not isinstance(again.view.gate, Awaiting), "due again for green's health alone"


async def test_health_after_the_decision_is_stored_apart_and_redraws_the_card_once(
    filled: Database, database_url: str
) -> None:
    rows = EvidenceRows(filled, uuid4())
    await keep(rows, await claimed(rows), HEALTHY)
    with psycopg.connect(database_url) as connection:
        connection.execute(DECIDE, [AWAITING])
    before, _ = await card(filled)
    assert await rows.seen_live(await claimed(rows), UNHEALTHY.health, due_at=AT, now=AT) is True
    assert await card(filled) == (before + 1, before + 1)
    view = await rows.get(GATE)
    assert view is not None
    assert (view.evidence, view.live_health) == (HEALTHY, UNHEALTHY.health)
    later = replace(UNHEALTHY.health, collected_at=AT + timedelta(minutes=1))
    assert await rows.seen_live(await claimed(rows), later, due_at=AT, now=AT) is True
    assert await card(filled) == (before + 1, before + 1)


async def test_health_is_of_no_interest_once_the_deployment_has_ended(
    filled: Database, database_url: str
) -> None:
    rows = EvidenceRows(filled, uuid4())
    await keep(rows, await claimed(rows), HEALTHY)
    with psycopg.connect(database_url) as connection:
        connection.execute(DECIDE, [AWAITING])
    await rows.seen_live(await claimed(rows), UNHEALTHY.health, due_at=AT, now=AT)
    await filled.execute(
        "UPDATE switches SET ended_at = :at, end_reason = 'Stopped', due_at = NULL"
        " WHERE id = (SELECT switch_id FROM gates WHERE id = :gate)",
        at=AT,
        gate=AWAITING,
    )
    view = await rows.get(GATE)
    assert view is not None
    assert view.live_health is None


async def test_who_lost_the_lease_keeps_nothing(filled: Database) -> None:
    killed, other = EvidenceRows(filled, uuid4()), EvidenceRows(filled, uuid4())
    lost = await claimed(killed)
    due = await claimed(other, at=LEASE_DURATION)
    assert due.attempts == 2
    assert await keep(killed, lost, UNHEALTHY) is False
    assert await keep(other, due, HEALTHY) is True
    view = await other.get(GATE)
    assert view is not None
    assert view.evidence == HEALTHY


async def test_opening_details_makes_a_waiting_gates_evidence_due_at_once(filled: Database) -> None:
    rows = EvidenceRows(filled, uuid4())
    due = await claimed(rows)
    await rows.seen(
        due, HEALTHY, blockers=[], events=[], settled=True, due_at=AT + timedelta(hours=1), now=AT
    )
    assert await rows.claim(now=AT, limit=5) == []
    await rows.request_refresh(GATE, now=AT)
    await rows.request_refresh(GateId(DECIDED), now=AT)
    assert [due.view.id for due in await rows.claim(now=AT, limit=5)] == [GATE]


async def test_evidence_that_another_release_wrote_holds_up_no_card(filled: Database) -> None:
    await filled.execute(
        "UPDATE evidence SET seen = '{\"green\": 7}', seen_at = :at WHERE gate_id = :gate",
        at=AT,
        gate=AWAITING,
    )
    rows = EvidenceRows(filled, uuid4())
    due = await claimed(rows)
    assert due.known is None
    assert await keep(rows, due, HEALTHY) is True


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE evidence SET seen = '{{\"x\": 1}}' WHERE gate_id = '{DECIDED}'",
        f"UPDATE evidence SET blockers = '[]' WHERE gate_id = '{DECIDED}'",
        f"UPDATE evidence SET seen_at = now() + interval '1 day' WHERE gate_id = '{DECIDED}'",
        f"UPDATE evidence SET seen = NULL, seen_at = NULL WHERE gate_id = '{DECIDED}'",
        f"DELETE FROM evidence WHERE gate_id = '{DECIDED}'",
        f"DELETE FROM evidence WHERE gate_id = '{AWAITING}'",
    ],
)
def test_postgres_refuses_to_touch_up_what_was_seen(database_url: str, statement: str) -> None:
    fill(database_url)
    with (
        psycopg.connect(database_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.IntegrityError),
    ):
        connection.execute(statement)


def test_evidence_goes_through_json_unchanged() -> None:
    seen = evidence(
        blue=side(
            41,
            revision=Missing(reason=MissingReason.DENIED, call="ecs:DescribeTaskDefinition"),
            task_definition=None,
        ),
        alarms=Missing(reason=MissingReason.NONE),
        steady_since=Missing(reason=MissingReason.SILENT),
    )
    assert evidence_from_json(json.loads(evidence_to_json(seen))) == seen


def test_evidence_of_an_earlier_release_is_read_under_the_names_of_today() -> None:
    change = Change(
        part=ChangedPart.IMAGE, kind=ChangeKind.CHANGED, name="order", before="1.41", after="1.42"
    )
    denied = Missing(reason=MissingReason.DENIED, call="ecs:DescribeTaskDefinition")
    seen = evidence(
        blue=side(41, revision=denied), changes=(change,), alarms=Missing(reason=MissingReason.NONE)
    )
    stored = json.loads(evidence_to_json(seen))
    stored["seen_at"] = stored.pop("collected_at")
    stored["blue"]["revision"] = {"why": "denied", "call": "ecs:DescribeTaskDefinition"}
    stored["alarms"] = {"why": "none", "call": ""}
    shown = {"name": "order", "container": "", "before": "1.41", "after": "1.42"}
    stored["changes"] = [{"what": "image", "how": "changed", **shown}]
    assert evidence_from_json(stored) == seen


@pytest.mark.parametrize(
    ("minutes", "crowd", "attempts", "settled", "longest"),
    [
        (1, 1, 1, True, SHORT_INTERVAL),
        (30, 1, 1, True, LONG_INTERVAL),
        (30, 1000, 1, True, timedelta(seconds=1000)),
        (1, 1, 1, False, timedelta(seconds=1)),
        (1, 1, 3, False, timedelta(seconds=4)),
        (1, 1, 99, False, SHORT_INTERVAL),
    ],
    ids=["young", "old", "a crowd", "something is missing", "still missing", "missing for long"],
)
async def test_the_next_look_comes_when(
    filled: Database, minutes: int, crowd: int, attempts: int, settled: bool, longest: timedelta
) -> None:
    due = replace(await claimed(EvidenceRows(filled, uuid4())), waiting_gates=crowd, attempts=attempts)
    wait = poll_interval(due, now=due.view.opened_at + timedelta(minutes=minutes), settled=settled)
    assert longest / 2 <= wait <= longest * 1.5


async def test_a_green_that_is_torn_down_is_not_shown_as_unhealthy(
    filled: Database, database_url: str
) -> None:
    rows = EvidenceRows(filled, uuid4())
    await keep(rows, await claimed(rows), HEALTHY)
    with psycopg.connect(database_url) as connection:
        connection.execute(DECIDE, [AWAITING])
    await rows.seen_live(await claimed(rows), HEALTHY.health, due_at=AT, now=AT)
    before, _ = await card(filled)
    for _ in range(2):
        assert await rows.seen_live(await claimed(rows), None, due_at=AT, now=AT) is True
    view = await rows.get(GATE)
    assert view is not None
    assert view.live_health is None
    assert await card(filled) == (before + 1, before + 1), "drawn once more, and no more"
