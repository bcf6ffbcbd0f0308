"""The stored findings of the traffic guard: read under the gate's lock, and again from AWS if too old."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from app.config.loader import parse_config
from app.config.runtime import RuntimeConfig
from app.db.database import Database
from app.db.repositories.evidence import EvidenceRows
from app.db.repositories.gates import Gates
from app.flow.approval.cast_vote import VoteRequest, cast_vote
from app.flow.approval.request_denied import RequestDenied
from app.gate.ids import UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import ApprovalBlocked
from app.gate.rules.policy import Roster
from app.gate.rules.traffic_guard import MAX_EVIDENCE_AGE, GuardRule
from app.gate.rules.violations import ForeignTargetGroup, GreenReceivesTraffic, GreenUnhealthy
from app.gate.votes import Choice
from app.sandbox.people import OLU, config_text
from tests.db.gate_builders import NOW, open_gate
from tests.gate.seen import evidence

RULES = RuntimeConfig(
    parse_config(
        config_text(order='approvals = 2\napprovers = ["U02OLU", "U03GRACE"]\n'), file="switchgate.toml"
    ),
    roster=lambda: Roster(groups={}),
    last_synced_at=lambda group: NOW,
    clock=lambda: NOW,
)
FOUND: list[GuardRule] = [
    GreenReceivesTraffic(port=8020, percent=30),
    ForeignTargetGroup(port=8020, percent=40, target_groups=("legacy", "other")),
    GreenUnhealthy(unhealthy=1, total=2),
]
IN_AN_HOUR = NOW + timedelta(hours=1)


async def waits(database: Database, blockers: Sequence[GuardRule]) -> VoteRequest:
    """A gate whose evidence was seen now and is due again in an hour, and olu's press on it."""
    gate = await open_gate(Gates(database), "d-1")
    rows = EvidenceRows(database, uuid4())
    [due] = await rows.claim(now=NOW, limit=1)
    seen = evidence(collected_at=NOW)
    assert await rows.seen(due, seen, blockers=blockers, events=[], settled=True, due_at=IN_AN_HOUR, now=NOW)
    olu = Person(user=UserId(OLU.id), name="olu", account_status=AccountStatus.MEMBER)
    return VoteRequest(
        gate=gate, prompt_version=due.view.prompt_version, person=olu, choice=Choice.APPROVE, reason=""
    )


async def due_at(database: Database) -> datetime:
    at: datetime = (await database.execute("SELECT due_at FROM evidence"))[0].due_at
    return at


async def test_what_was_found_is_read_with_the_gate(database: Database) -> None:
    press = await waits(database, FOUND)
    with pytest.raises(RequestDenied) as denied:
        await cast_vote(press, repository=Gates(database), rules=RULES, now=NOW + MAX_EVIDENCE_AGE)
    assert isinstance(denied.value.denial, ApprovalBlocked)
    assert denied.value.denial.blockers == tuple(FOUND)
    assert await due_at(database) == IN_AN_HOUR, "it is believed as long as that"


async def test_stale_evidence_blocks_nothing_and_is_read_again(database: Database) -> None:
    press, now = await waits(database, FOUND), NOW + MAX_EVIDENCE_AGE + timedelta(seconds=1)
    counted = await cast_vote(press, repository=Gates(database), rules=RULES, now=now)
    assert counted.decision is None, "another approval is owed"
    assert await due_at(database) == now


async def test_a_gate_that_nobody_looked_at_yet_is_not_held(database: Database) -> None:
    gate = await open_gate(Gates(database), "d-1")
    view = await Gates(database).get(gate)
    assert view is not None
    assert view.guard is None
