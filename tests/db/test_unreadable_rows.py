"""A row that this release cannot read holds up no other: not of any worker, whatever is wrong with it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from app.config.loader import load_config
from app.config.runtime import RuntimeConfig
from app.db.database import Database
from app.db.leases import Leases
from app.db.quarantine import Quarantine
from app.db.queries.home import HomeQueries
from app.db.queries.search import Queries
from app.db.repositories.checks import Checks
from app.db.repositories.deployers import Deployers
from app.db.repositories.evidence import EvidenceRows
from app.db.repositories.freezes import Freezes
from app.db.repositories.gates import Gates
from app.db.repositories.interventions import Interventions
from app.db.repositories.messages.announcements import Announcements
from app.db.repositories.messages.cards import Cards
from app.db.repositories.messages.threads import Threads
from app.db.repositories.probes import Probes
from app.db.repositories.reports import Reports
from app.db.repositories.switches import Switches
from app.flow.approval.approve_by_checks import approve_by_checks
from app.flow.audit_events import Kind
from app.flow.checks.run_probe import plan_probes
from app.flow.lifecycle.expire_gates import expire_gates
from app.flow.notify.refresh_rule_status import refresh_rule_status
from app.flow.notify.remind import remind
from app.gate.ids import GateId
from app.gate.rules.policy import Roster
from app.gate.undo import InterventionKind
from app.sandbox.people import config_text
from tests.db.gate_builders import NOW, event, open_gate, reject, requested_intervention
from tests.logs import captured_logs

CHECKED: Final = """
required_checks = ["smoke"]
approve_when_checks_pass = true
[[domains.order.probe]]
name = "health"
url = "http://127.0.0.1:9/"
"""

# What a newer release's migration would do.
OPEN_TO_NEW_VALUES: Final = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype = 'c'
        AND conrelid::regclass::text IN ('gates', 'votes', 'reports', 'interventions', 'checks', 'audit_events')
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP;
END $$;
ALTER TABLE gates DISABLE TRIGGER ALL;
ALTER TABLE audit_events DISABLE TRIGGER deny_audit_change;
ALTER TABLE evidence DISABLE TRIGGER ALL;
ALTER TABLE interventions DISABLE TRIGGER ALL
"""
OF_BAD: Final = "switch_id = (SELECT id FROM switches WHERE deployment_id = 'd-bad')"
BAD_GATES: Final = f"gate_id IN (SELECT id FROM gates WHERE {OF_BAD})"
POISONS: Final = {
    "another way to move traffic": """UPDATE switches SET traffic = '{"shift": "sideways"}'
        WHERE deployment_id = 'd-bad'""",
    "traffic in another shape": "UPDATE switches SET traffic = '[1, 2]' WHERE deployment_id = 'd-bad'",
    "another kind of vote": f"INSERT INTO votes (gate_id, voter, name, choice, voted_at)"
    f" SELECT id, 'U9', 'Nia', 'abstain', now() FROM gates WHERE {OF_BAD}",
    "another state of a check": "INSERT INTO checks"
    " (account, region, deployment_id, name, state, reported_by, reported_at)"
    " SELECT account, region, deployment_id, 'lint', 'skipped', 'api:ci', now() FROM switches"
    " WHERE deployment_id = 'd-bad'",
    "another intervention": f"UPDATE interventions SET kind = 'pause' WHERE {OF_BAD}",
    "another phase of an intervention": f"UPDATE interventions SET phase = 'queued' WHERE {OF_BAD}",
    "an approval on other grounds": f"UPDATE gates SET basis = 'quorum' WHERE {OF_BAD}",
    "a rule that is not known": f'UPDATE gates SET overridden_rules = \'[{{"rule": "full_moon"}}]\' WHERE {OF_BAD}',
    "broken rules in another shape": f"UPDATE gates SET overridden_rules = '{{\"v\": 2}}' WHERE {OF_BAD}",
    "another outcome": f"UPDATE gates SET outcome = 'deferred' WHERE {OF_BAD}",
    "another verdict": f"UPDATE gates SET verdict = 'postponed' WHERE {OF_BAD} AND phase <> 'awaiting'",
    "another phase of a gate": f"UPDATE gates SET phase = 'paused' WHERE {OF_BAD}",
    "another answer": f"UPDATE reports SET answer = 'Skipped' WHERE {BAD_GATES}",
    "another announcement": f"UPDATE announcements SET kind = 'applause' WHERE {BAD_GATES}",
    "another kind of actor": "UPDATE audit_events SET actor_kind = 'robot' WHERE deployment_id = 'd-bad'",
    "another kind of event": "UPDATE audit_events SET kind = 'gate_sang' WHERE deployment_id = 'd-bad'",
    "evidence in another shape": f"UPDATE evidence SET seen = '{{\"v\": 2}}', seen_at = now() WHERE {BAD_GATES}",
}

LEASED: Final[dict[str, Callable[[Database], Any]]] = {
    "reports": lambda database: Reports(database, uuid4()),
    "cards": lambda database: Cards(database, uuid4()),
    "threads": lambda database: Threads(database, uuid4()),
    "announcements": lambda database: Announcements(database, uuid4()),
    "evidence": lambda database: EvidenceRows(database, uuid4()),
    "switches": lambda database: Switches(database, uuid4()),
    "interventions": lambda database: Interventions(database, uuid4()),
    "probe_runs": lambda database: Probes(database, uuid4()),
}


async def _fill(database: Database, deployment: str) -> None:
    """Every kind of work is due of this deployment. One gate of it is decided, one waits."""
    gates = Gates(database)
    decided = await open_gate(gates, deployment, execution="one")
    await reject(gates, decided)
    waiting = await open_gate(gates, deployment, execution="two", hook_name="AfterAllowTestTraffic")
    await _undo(database, decided, deployment)
    await Probes(database, uuid4()).ask_for(waiting, ["health"], now=NOW)
    for statement in (
        "UPDATE cards SET channel = 'C1', ts = CAST(:gate AS text) WHERE gate_id = :gate",
        "INSERT INTO threads (gate_id, due_at) VALUES (:gate, :now)",
        "INSERT INTO announcements (gate_id, kind, written_at, due_at) VALUES (:gate, 'break_glass', :now, :now)",
    ):
        await database.execute(statement, gate=decided, now=NOW)


async def _undo(database: Database, gate: GateId, deployment: str) -> None:
    wish = requested_intervention(InterventionKind.STOP, id_=uuid4())
    async with Interventions(database, uuid4()).hold_switch_of(gate) as held:
        assert held is not None
        await held.ask(wish, events=[event(Kind.UNDO_REQUESTED, deployment, gate)], instead_of=None, now=NOW)


@pytest.fixture
async def two(database: Database) -> Database:
    """Two deployments of which every kind of work is due; the one that will be unreadable comes first."""
    for deployment in ("d-bad", "d-good"):
        await _fill(database, deployment)
    for statement in OPEN_TO_NEW_VALUES.rsplit(";\n", 4):
        await database.execute(statement)
    return database


def _deployments(claimed: Sequence[Any]) -> set[str]:
    return {(due.switch if hasattr(due, "switch") else due.view.switch).key.deployment for due in claimed}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
async def test_an_unreadable_row_does_not_stop_the_others(two: Database, poison: str) -> None:
    await two.execute(poison)
    for work, build in LEASED.items():
        claimed = _deployments(await build(two).claim(now=NOW, limit=9))
        assert "d-good" in claimed, work
    for listed in (
        (await Queries(two).pending(limit=9))[0],
        (await Queries(two).gates(domain=None, deployment=None, phase=None, limit=9, cursor=None)).items,
        await HomeQueries(two).waiting(),
    ):
        assert listed


@pytest.mark.parametrize("work", LEASED)
async def test_an_unreadable_row_is_quarantined_logged_once_and_left_to_other_replicas(
    two: Database, work: str
) -> None:
    poisoned = (
        "another phase of an intervention" if work == "interventions" else "another way to move traffic"
    )
    await two.execute(POISONS[poisoned])
    replica, newer = LEASED[work](two), LEASED[work](two)
    sample = ("switchgate_rows_set_aside_total", {"work": work})
    before = REGISTRY.get_sample_value(*sample) or 0
    with captured_logs() as log:
        first = await replica.claim(now=NOW, limit=9)
        rest = await replica.claim(now=NOW + timedelta(seconds=1), limit=9)
    assert _deployments(first) == {"d-good"}
    assert rest == []
    found = log.getvalue().count("row_set_aside")
    assert found >= 1
    assert (REGISTRY.get_sample_value(*sample) or 0) == before + found
    leases: Leases = newer.leases
    assert await leases.claim(now=NOW, limit=9)  # a replica that can read it has it at once


async def _bad_and_good(database: Database, poison: str) -> None:
    """Two gates that wait; what the first holds cannot be read."""
    for deployment, at in (("d-bad", NOW - timedelta(minutes=1)), ("d-good", NOW)):
        gate = await open_gate(Gates(database), deployment, at=at)
        await database.execute(
            "INSERT INTO checks (account, region, deployment_id, name, state, reported_by, reported_at) SELECT account,"
            " region, deployment_id, 'smoke', 'passed', 'api:ci', now() FROM switches WHERE deployment_id = :d",
            d=deployment,
        )
        await database.execute("UPDATE gates SET remind_at = :now WHERE id = :gate", now=NOW, gate=gate)
    await database.execute("UPDATE switches SET deployed_by = 'ana@example.com'")
    for statement in OPEN_TO_NEW_VALUES.rsplit(";\n", 4):
        await database.execute(statement)
    await database.execute(POISONS[poison])


@pytest.fixture
def rules(tmp_path: Any) -> RuntimeConfig:
    file = tmp_path / "switchgate.toml"
    file.write_text(config_text(order=CHECKED))
    return RuntimeConfig(
        load_config(file),
        roster=lambda: Roster(groups={}),
        last_synced_at=lambda group: NOW,
        clock=lambda: NOW,
    )


Step = Callable[[Database, RuntimeConfig, Quarantine], Awaitable[object]]


async def _expire(database: Database, rules: RuntimeConfig, quarantine: Quarantine) -> object:
    return await expire_gates(
        repository=Gates(database), quarantine=quarantine, now=NOW + timedelta(minutes=56)
    )


async def _remind(database: Database, rules: RuntimeConfig, quarantine: Quarantine) -> object:
    return await remind(
        repository=Gates(database), rules=rules, quarantine=quarantine, now=NOW + timedelta(minutes=50)
    )


async def _approve(database: Database, rules: RuntimeConfig, quarantine: Quarantine) -> object:
    checks = Checks(database)
    return await approve_by_checks(
        repository=Gates(database), gates=checks, rules=rules, quarantine=quarantine, now=NOW
    )


async def _turn(database: Database, rules: RuntimeConfig, quarantine: Quarantine) -> object:
    return await refresh_rule_status(
        repository=Freezes(database), rules=rules, quarantine=quarantine, now=NOW
    )


async def _plan(database: Database, rules: RuntimeConfig, quarantine: Quarantine) -> object:
    return await plan_probes(
        repository=Probes(database, uuid4()), rules=rules, quarantine=quarantine, now=NOW
    )


STEPS: Final[dict[str, tuple[Step, str]]] = {
    "expire": (_expire, "SELECT 1 FROM gates WHERE verdict = 'expired' AND switch_id = :good"),
    "remind": (_remind, "SELECT 1 FROM gates WHERE reminded_at IS NOT NULL AND switch_id = :good"),
    "approve": (_approve, "SELECT 1 FROM gates WHERE basis = 'checks' AND switch_id = :good"),
    "turn": (
        _turn,
        "SELECT 1 FROM gate_rule_snapshots m JOIN gates g ON g.id = m.gate_id WHERE g.switch_id = :good",
    ),
    "probe": (_plan, "SELECT 1 FROM probe_runs p JOIN gates g ON g.id = p.gate_id WHERE g.switch_id = :good"),
}


@pytest.mark.parametrize("poison", ["another way to move traffic", "another kind of vote"])
@pytest.mark.parametrize(("step", "done"), STEPS.values(), ids=STEPS)
async def test_workers_without_a_lease_go_on_meanwhile_too(
    database: Database, rules: RuntimeConfig, step: Step, done: str, poison: str
) -> None:
    await _bad_and_good(database, poison)
    quarantine = Quarantine("test")
    good = (await database.execute("SELECT id FROM switches WHERE deployment_id = 'd-good'"))[0].id
    with captured_logs() as log:
        for _ in range(3):
            await step(database, rules, quarantine)
    assert await database.execute(done, good=good)
    assert log.getvalue().count("row_set_aside") <= 1


async def test_a_deployer_is_found_although_another_row_is_unreadable(database: Database) -> None:
    await _bad_and_good(database, "another way to move traffic")
    found = await Deployers(database).unknown(after=0, limit=9)
    assert [unknown.switch.key.deployment for unknown in found] == ["d-good"]


async def test_a_row_in_quarantine_is_tried_again_later_and_is_forgotten_once_it_works() -> None:
    now = [0.0]
    quarantine = Quarantine("test", clock=lambda: now[0])
    row = UUID(int=1)
    with captured_logs() as log:
        for _ in range(3):
            with quarantine.guard(row):
                _fail()
            assert quarantine.keys() == [row]
            now[0] += 3600
            assert quarantine.keys() == []
    assert log.getvalue().count("row_set_aside") == 1
    with quarantine.guard(row):
        pass
    with captured_logs() as log, quarantine.guard(row):
        _fail()
    assert log.getvalue().count("row_set_aside") == 1


def _fail() -> None:
    raise LookupError
