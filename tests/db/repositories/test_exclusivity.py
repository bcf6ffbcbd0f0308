"""Related switches of other domains, and the exclusivity lock."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import psycopg
import pytest

from app.config.loader import parse_config
from app.config.runtime import RuntimeConfig
from app.db.database import Database
from app.db.repositories.exclusivity import (
    RELATED_SWITCHES,
    related_switches,
    related_switches_parameters,
)
from app.db.repositories.gates import Gates
from app.flow.approval.approval_context import queue_position_of
from app.flow.approval.cast_vote import VoteAccepted, VoteRequest, cast_vote
from app.flow.approval.request_denied import RequestDenied
from app.gate.ids import DeploymentId, DomainName, GateId
from app.gate.rules.denials import ApprovalBlocked
from app.gate.rules.exclusivity import FailedEnd, RelatedSwitch
from app.gate.rules.policy import Roster
from app.gate.rules.violations import ExcludedBySwitch
from app.gate.votes import Choice
from tests.db.gate_builders import NOW, OLU, open_gate, reject
from tests.db.locks.test_locks import until_somebody_waits
from tests.db.statements.plans import most_read
from tests.db.statements.statement_cases import for_driver

EXCLUSIVITY_LOCK_SQL = "SELECT pg_advisory_xact_lock(1902, 1)"
LATER = NOW + timedelta(minutes=3)
TABLE = '[domains.{0}]\napplication = "{0}-app"\ndeployment_group = "{0}-dg"\n'
CONFIG = (
    '[slack]\nchannel = "C01DEPLOY"\n[policy]\napprovers = ["U02OLU"]\nown_deployment = true\n'
    'exclusive = ["order", "payment"]\n' + "".join(map(TABLE.format, ("order", "payment", "hub")))
)
RULES = RuntimeConfig(
    parse_config(CONFIG, file="switchgate.toml"),
    roster=Roster,
    last_synced_at=lambda _: NOW,
    clock=lambda: NOW,
)


@pytest.fixture
async def second(database_url: str) -> AsyncIterator[Database]:
    """Another replica's connections to the same database."""
    opened = Database(database_url)
    yield opened
    await opened.close()


async def approve(database: Database, gate: GateId, *, at: datetime = NOW) -> VoteAccepted:
    press = VoteRequest(gate=gate, prompt_version=1, person=OLU, choice=Choice.APPROVE, reason="")
    return await cast_vote(press, repository=Gates(database), rules=RULES, now=at)


async def seen(database: Database, domain: str = "payment") -> RelatedSwitch:
    (found,) = await related_switches(database, [DomainName(domain)])
    return found


async def test_the_thread_has_a_switch_from_its_hook_to_its_end(database: Database) -> None:
    gate = await open_gate(Gates(database), "d-1", domain="payment")
    asked = RelatedSwitch(domain=DomainName("payment"), deployment=DeploymentId("d-1"), waiting_since=NOW)
    assert await seen(database) == asked
    await approve(database, gate, at=LATER)
    going = await seen(database)
    assert (going.waiting_since, going.approved_at, going.last_observed_at) == (None, LATER, LATER)
    assert going.holds_exclusivity(now=LATER)

    blue_until = LATER + timedelta(minutes=30)
    await database.execute(
        "UPDATE switches SET green_percent = 100, traffic_changed_at = :now, switched_at = :now, blue_until = :blue,"
        """ traffic = '{"shift": "canary", "percent": 10, "minutes": 5}'""",
        now=LATER,
        blue=blue_until,
    )
    through = await seen(database)
    assert (through.moved, through.switched_at, through.last_observed_at) == (True, LATER, blue_until)
    assert through.pause == timedelta(minutes=5)
    await database.execute(
        "UPDATE switches SET ended_at = :now, end_reason = 'Succeeded', due_at = NULL", now=LATER
    )
    assert (await seen(database)).ended_at == LATER


async def test_a_gate_after_the_traffic_shows_that_it_has_moved_before_any_poll(
    database: Database,
) -> None:
    gates = Gates(database)
    await approve(database, await open_gate(gates, "d-1", domain="payment"))
    await open_gate(gates, "d-1", domain="payment", execution="two", hook_name="AfterAllowTestTraffic")
    assert not (await seen(database)).holds_exclusivity(now=NOW)
    after = await open_gate(gates, "d-1", domain="payment", execution="three", hook_name="AfterAllowTraffic")
    assert (await seen(database)).holds_exclusivity(now=NOW)

    view, payment = await gates.get(after), RULES.domain(DomainName("payment"))
    assert view is not None
    assert payment is not None
    # Its own traffic has moved: what others do is nothing to wait for any more.
    line = queue_position_of(view, domain=payment, rules=RULES)
    assert line is not None
    assert line.traffic_moving


async def test_a_rejection_is_told_at_once(database: Database) -> None:
    gate = await open_gate(Gates(database), "d-1", domain="payment")
    await reject(Gates(database), gate, at=LATER)
    refused = await seen(database)
    assert (refused.refused, refused.waiting_since) == (FailedEnd.REJECTED, None)
    assert not refused.is_pending(now=LATER)


@pytest.mark.parametrize("basis", ["auto_rollback", "undo"])
async def test_auto_rollbacks_and_undos_exclude_nobody(database: Database, basis: str) -> None:
    await open_gate(Gates(database), "d-1", domain="payment")
    await database.execute(
        "UPDATE gates SET phase = 'decided', verdict = 'approved', basis = :basis, decided_at = :now,"
        " decided_by = 'U1', decided_name = 'Ana'",
        basis=basis,
        now=LATER,
    )
    assert (await seen(database)).approved_at is None


async def test_a_rollback_is_no_neighbour_at_all(database: Database) -> None:
    await open_gate(Gates(database), "d-1", domain="payment")
    await database.execute("UPDATE switches SET creator = 'codeDeployRollback'")
    assert await related_switches(database, [DomainName("payment")]) == []


@pytest.mark.parametrize(
    ("outcome", "counts"), [("acknowledged", True), ("conflict", False), ("undeliverable", False)]
)
async def test_an_approval_that_codedeploy_did_not_take_excludes_nobody(
    database: Database, outcome: str, counts: bool
) -> None:
    gate = await open_gate(Gates(database), "d-1", domain="payment")
    await approve(database, gate)
    await database.execute(
        "UPDATE gates SET phase = 'reported', outcome = :outcome, outcome_detail = 'x', reported_at = :now,"
        " execution_id = NULL",
        outcome=outcome,
        now=LATER,
    )
    assert ((await seen(database)).approved_at is not None) is counts


async def test_of_ended_switches_only_the_last_is_read(database: Database) -> None:
    for number in range(5):
        await open_gate(Gates(database), f"d-{number}", execution=str(number), domain="payment")
    await database.execute("UPDATE switches SET ended_at = :now, end_reason = 'x', due_at = NULL", now=LATER)
    assert (await seen(database)).deployment == "d-4"


async def test_of_two_presses_at_the_same_moment_the_second_waits_and_is_told(
    database: Database, second: Database, database_url: str
) -> None:
    order = await open_gate(Gates(database), "d-1", domain="order")
    payment = await open_gate(Gates(database), "d-2", domain="payment")
    async with Gates(database).hold(order) as held:
        assert held is not None
        await held.load_related_switches([DomainName("payment")], exclusive=True)
        pressed = asyncio.create_task(approve(second, payment))
        await until_somebody_waits(database_url)
        assert not pressed.done()
    # The first transaction ended without a decision.
    await pressed
    with pytest.raises(RequestDenied) as refused:
        await approve(database, order)
    assert isinstance(refused.value.denial, ApprovalBlocked)
    (rule,) = refused.value.denial.blockers
    assert isinstance(rule, ExcludedBySwitch)
    assert (rule.domain, rule.deployment) == ("payment", "d-2")


async def test_many_pairs_of_presses_never_let_both_through(database: Database, second: Database) -> None:
    for number in range(25):
        order = await open_gate(Gates(database), f"o-{number}", domain="order")
        payment = await open_gate(Gates(database), f"p-{number}", domain="payment")
        ends = await asyncio.gather(
            approve(database, order), approve(second, payment), return_exceptions=True
        )
        assert sorted(type(end).__name__ for end in ends) == ["RequestDenied", "VoteAccepted"]
        await database.execute(
            "UPDATE switches SET ended_at = :now, end_reason = 'x', due_at = NULL", now=LATER
        )


async def test_a_transaction_that_waits_for_the_exclusivity_lock_holds_nothing_that_its_holder_may_want(
    database: Database, database_url: str
) -> None:
    """The lock comes last: its holder has the rows of its own gate already, and needs no others."""
    order = await open_gate(Gates(database), "d-1", domain="order")
    payment = await open_gate(Gates(database), "d-2", domain="payment")
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute("SELECT 1 FROM gates WHERE id = %s FOR UPDATE", [order])
        await holder.execute(EXCLUSIVITY_LOCK_SQL)
        pressing = asyncio.create_task(approve(database, payment))
        await until_somebody_waits(database_url)
        # A poll, a card, an undo of the holder's own deployment, in whatever order.
        for table in ("switches", "gates", "cards"):
            column = "id" if table == "gates" else "gate_id"
            where = f"{column} = %s" if table != "switches" else "deployment_id = %s"
            named = "d-1" if table == "switches" else order
            await holder.execute(f"SELECT 1 FROM {table} WHERE {where} FOR UPDATE NOWAIT", [named])
        await holder.rollback()
        await pressing


async def test_a_domain_without_exclusivity_takes_no_exclusivity_lock(
    database: Database, database_url: str
) -> None:
    hub = await open_gate(Gates(database), "d-1", domain="hub")
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute(EXCLUSIVITY_LOCK_SQL)
        assert (await approve(database, hub)).decision is not None


async def test_a_rejection_is_not_held_by_exclusivity(database: Database, database_url: str) -> None:
    order = await open_gate(Gates(database), "d-1", domain="order")
    press = VoteRequest(gate=order, prompt_version=1, person=OLU, choice=Choice.REJECT, reason="no")
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute(EXCLUSIVITY_LOCK_SQL)
        assert (await cast_vote(press, repository=Gates(database), rules=RULES, now=NOW)).decision is not None


async def test_a_long_history_makes_no_press_slower(database: Database, database_url: str) -> None:
    """Only live switches are read, however many have ended."""
    await database.execute(
        "INSERT INTO switches (account, region, deployment_id, domain, application, deployment_group, creator, status,"
        " first_seen_at, verified_at, ended_at, end_reason) SELECT '1', 'r', 'd-' || n, 'payment', 'a', 'g', 'user',"
        " 'Succeeded', :now, :now, :now, 'Succeeded'"
        " FROM generate_series(1, 20000) n",
        now=NOW,
    )
    await open_gate(Gates(database), "d-live", domain="payment")
    await database.execute("ANALYZE switches, gates")
    sql, values = for_driver(RELATED_SWITCHES, related_switches_parameters([DomainName("payment")]))
    with psycopg.connect(database_url) as connection:
        plan = connection.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + sql, values).fetchall()
    assert most_read(plan[0][0][0]["Plan"]) < 10
