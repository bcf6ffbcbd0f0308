"""Every statement that writes to the rows of `make_scene`, ready to run on it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

from app.db.database import Database
from app.db.repositories.checks import Checks
from app.db.repositories.deployers import Deployers
from app.db.repositories.evidence import EvidenceRows
from app.db.repositories.freezes import Freezes
from app.db.repositories.gates import Gates
from app.db.repositories.interventions import Interventions
from app.db.repositories.messages.cards import Cards
from app.db.repositories.messages.previous_cards import PreviousCards
from app.db.repositories.probes import Probes
from app.db.repositories.reports import Reports
from app.db.repositories.stale_traffic import StaleTraffic
from app.db.repositories.switches import Switches
from app.flow.audit_events import SWITCHGATE, Kind
from app.flow.freezes.stored_freezes import Declaration, freeze_event
from app.flow.lifecycle.report_decision import Result
from app.flow.notify.refresh_rule_status import RuleSnapshot
from app.flow.ports.switches import SwitchUpdate
from app.flow.read_models import CardPlace
from app.flow.undo.execute_intervention import DueIntervention
from app.flow.undo.intervention import InterventionPhase, InterventionProblem
from app.gate.deployer import Deployer
from app.gate.ids import DeploymentId, DomainName, UserId
from app.gate.rules.checks import CheckState
from app.gate.state_machine import Outcome
from tests.db.gate_builders import NOW, event, key, open_gate, reject
from tests.db.locks.lock_scene import (
    FIRST,
    PREVIOUS,
    SECOND,
    make_scene,
    smoke,
)
from tests.gate.seen import evidence

ACKNOWLEDGED = Result(outcome=Outcome.ACKNOWLEDGED, detail="Failed")
Prepared = Callable[[], Awaitable[object]]
Prepare = Callable[[Database], Awaitable[Prepared]]


async def _press(database: Database) -> Prepared:
    return partial(reject, Gates(database), SECOND)


async def _second_hook(database: Database) -> Prepared:
    return partial(open_gate, Gates(database), "d-1", execution="third")


async def _hook_of_the_next_deployment(database: Database) -> Prepared:
    return partial(open_gate, Gates(database), "d-9")


async def _card_published(database: Database) -> Prepared:
    cards = Cards(database, uuid4())
    due = next(one for one in await cards.claim(now=NOW, limit=9) if one.view.id == FIRST)
    place = CardPlace(channel="C1", ts="1.1")
    return partial(cards.mark_published, due, place=place, fingerprint="f", now=NOW)


async def _cards_claimed(database: Database) -> Prepared:
    return partial(Cards(database, uuid4()).claim, now=NOW, limit=9)


async def _poll(database: Database, deployment: str) -> Prepared:
    switches = Switches(database, uuid4())
    due_polls = await switches.claim(now=NOW, limit=9)
    due = next(one for one in due_polls if one.switch.key.deployment == deployment)
    taken_back = "d-1" if deployment == "d-2" else None

    async def poll() -> None:
        async with switches.hold_switch(due) as held:
            assert held is not None
            news = SwitchUpdate(
                status="Stopped", switched_at=NOW, rollback_id="d-2" if not taken_back else None
            )
            await held.store(news, events=[event(Kind.SWITCHED, deployment)], redraw=True, now=NOW)
            if taken_back is None:
                await held.follow_rollback(DeploymentId("d-2"), now=NOW)
                await held.settle_rolled_back(now=NOW)
            settled = await held.settle_waiting(InterventionPhase.DONE, problem=None, now=NOW)
            await held.add_audit_events([event(Kind.UNDO_DONE, one.switch.key.deployment) for one in settled])
            await held.end(
                end_reason="Stopped", due_at=None, events=[event(Kind.SWITCH_ENDED, deployment)], now=NOW
            )

    return poll


async def _looks_put_back(database: Database) -> Prepared:
    switches = Switches(database, uuid4())
    due_polls = await switches.claim(now=NOW, limit=9)

    async def put_back() -> None:
        for due in due_polls:
            await switches.poll_again(due, error=None, rested=True, due_at=NOW + timedelta(minutes=1))

    return put_back


async def _report(database: Database) -> Prepared:
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=9)
    return partial(
        reports.mark_reported, due, ACKNOWLEDGED, event(Kind.REPORT_ACKNOWLEDGED, "d-1", FIRST), now=NOW
    )


async def _answer_compared(database: Database) -> Prepared:
    """CodeDeploy holds the answer that was sent."""
    await (await _report(database))()
    switches = Switches(database, uuid4())
    due = next(one for one in await switches.claim(now=NOW, limit=9) if one.switch.key.deployment == "d-1")

    async def compare() -> None:
        async with switches.hold_switch(due) as held:
            assert held is not None
            view = next(one for one in held.open_gates if one.id == FIRST)
            await held.compare(view, codedeploy_status="Failed", differs=False, events=[], now=NOW)

    return compare


async def _report_again(database: Database) -> Prepared:
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=9)
    return partial(reports.retry_later, due, error="throttled", redraw=True, due_at=NOW, now=NOW)


async def _intervention(database: Database) -> tuple[Interventions, DueIntervention]:
    interventions = Interventions(database, uuid4())
    (due,) = await interventions.claim(now=NOW, limit=9)
    return interventions, due


async def _undo_sent(database: Database) -> Prepared:
    interventions, due = await _intervention(database)
    sent = event(Kind.UNDO_SENT, "d-1", FIRST)
    return partial(interventions.sent, due, deployment="d-2", done=False, problem=None, event=sent, now=NOW)


async def _undo_failed(database: Database) -> Prepared:
    interventions, due = await _intervention(database)
    failed = event(Kind.UNDO_FAILED, "d-1", FIRST)
    return partial(
        interventions.failed, due, problem=InterventionProblem(detail="denied"), event=failed, now=NOW
    )


async def _undo_again(database: Database) -> Prepared:
    interventions, due = await _intervention(database)
    return partial(
        interventions.retry_later, due, problem=InterventionProblem(detail="throttled"), due_at=NOW, now=NOW
    )


async def _undo_refused(database: Database) -> Prepared:
    async def refuse() -> None:
        async with Interventions(database, uuid4()).hold_switch_of(FIRST) as held:
            assert held is not None
            await held.note(event(Kind.UNDO_DENIED, "d-1", FIRST))

    return refuse


async def _deployer(database: Database) -> Prepared:
    deployers = Deployers(database)
    due = next(one for one in await deployers.unknown(after=0, limit=9) if one.switch.key.deployment == "d-1")
    known = event(Kind.DEPLOYER_RESOLVED, "d-1")
    found = Deployer(known=UserId("U1"), named=frozenset({UserId("U1")}))
    return partial(deployers.store, due, found, shown="ana", event=known, now=NOW)


async def _check(database: Database) -> Prepared:
    async def keep() -> None:
        where = {"account": key("d-1").account, "region": key("d-1").region}
        async with Checks(database).hold_checks(deployment=DeploymentId("d-1"), **where) as held:
            reported = event(Kind.CHECK_REPORTED, "d-1")
            await held.keep(smoke(CheckState.PASSED), events=[reported], now=NOW)

    return keep


async def _freeze(database: Database) -> Prepared:
    declaration = Declaration(
        domains=None, start=NOW, end=NOW + timedelta(hours=1), reason="inventory", by="U1"
    )

    async def declare() -> None:
        async with Freezes(database).hold_freezes() as held:
            declared = freeze_event(None, Kind.FREEZE_DECLARED, by=SWITCHGATE, now=NOW)
            await held.declare(declaration, event=declared, now=NOW)

    return declare


async def _unfreeze(database: Database) -> Prepared:
    async def lift() -> None:
        async with Freezes(database).hold_freezes() as held:
            lifted = freeze_event(None, Kind.FREEZE_LIFTED, by=SWITCHGATE, now=NOW)
            await held.lift(held.active[0].freeze.id or 0, domains=None, event=lifted, now=NOW)

    return lift


async def _rules_turn(database: Database) -> Prepared:
    freezes = Freezes(database)
    waiting = next(one for one in await freezes.waiting() if one.domain == DomainName("order"))
    return partial(
        freezes.store_snapshot,
        waiting,
        RuleSnapshot(fingerprint="new", frozen=True, awaits_exclusivity=False),
        redraw=True,
        now=NOW,
    )


async def _reminders_planned(database: Database) -> Prepared:
    return partial(Gates(database).plan_reminders, now=NOW)


async def _previous_card(database: Database) -> Prepared:
    previous = PreviousCards(database)
    stale = next(one for one in await previous.stale(limit=9, skip=[]))
    return partial(previous.redraw, stale, now=NOW)


async def _evidence(database: Database) -> Prepared:
    rows = EvidenceRows(database, uuid4())
    due = next(one for one in await rows.claim(now=NOW, limit=9) if one.view.id == SECOND)
    seen = [event(Kind.EVIDENCE_COLLECTED, "d-1", SECOND)]
    return partial(rows.seen, due, evidence(), blockers=(), events=seen, settled=True, due_at=NOW, now=NOW)


async def _health(database: Database) -> Prepared:
    rows = EvidenceRows(database, uuid4())
    due = next(one for one in await rows.claim(now=NOW, limit=9) if one.view.id == SECOND)
    return partial(rows.seen_live, due, evidence().health, due_at=NOW, now=NOW)


async def _traffic_unknown(database: Database) -> Prepared:
    await database.execute("UPDATE switches SET traffic_stale_at = :now", now=NOW)
    traffic = StaleTraffic(database)
    switch = (await traffic.stale(now=NOW, limit=9, skip=[]))[0]
    return partial(traffic.mark_unknown, switch, now=NOW)


async def _probe(database: Database) -> Prepared:
    probes = Probes(database, uuid4())
    (due,) = await probes.claim(now=NOW, limit=9)
    return partial(
        probes.probed, due, smoke(CheckState.PASSED), events=[event(Kind.CHECK_REPORTED, "d-1")], now=NOW
    )


async def _probe_asked_again(database: Database) -> Prepared:
    await database.execute("UPDATE probe_runs SET due_at = NULL")
    later = NOW + timedelta(minutes=1)
    return partial(Probes(database, uuid4()).ask_again, SECOND, ["health"], now=later, before=later)


async def _card_registered(database: Database) -> Prepared:
    place = CardPlace(channel="C1", ts="2.2")
    return partial(Cards(database, uuid4()).register_location, PREVIOUS, place=place, now=NOW)


WRITERS: dict[str, Prepare] = {
    "a press": _press,
    "a second hook": _second_hook,
    "the hook of the next deployment": _hook_of_the_next_deployment,
    "a card published": _card_published,
    "cards claimed": _cards_claimed,
    "a card registered": _card_registered,
    "a poll": partial(_poll, deployment="d-1"),
    "a poll of its rollback": partial(_poll, deployment="d-2"),
    "looks put back": _looks_put_back,
    "a report": _report,
    "an answer compared": _answer_compared,
    "a report that failed": _report_again,
    "an undo sent": _undo_sent,
    "an undo that failed": _undo_failed,
    "an undo put back": _undo_again,
    "an undo refused": _undo_refused,
    "a deployer known": _deployer,
    "a check": _check,
    "a freeze": _freeze,
    "a freeze lifted": _unfreeze,
    "rules that turn": _rules_turn,
    "reminders planned anew": _reminders_planned,
    "the previous card": _previous_card,
    "evidence": _evidence,
    "green's health": _health,
    "traffic unknown": _traffic_unknown,
    "a probe": _probe,
    "a probe asked for again": _probe_asked_again,
}
SENT_BEFORE = {"a poll", "a poll of its rollback"}
"""CodeDeploy has taken the undo before these run."""


async def prepare_writer(name: str, database: Database) -> Prepared:
    """The scene anew, and the named writer ready to run on it."""
    await make_scene(database, sent=name in SENT_BEFORE)
    return await WRITERS[name](database)
