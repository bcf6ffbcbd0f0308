"""What goes wrong after the approval is broadcast once, in the card's thread, to those who can do something."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import CHANNEL, GRACE, MINA, OLU
from tests.flow import outsiders
from tests.harness import Harness, running_harness, text_of
from tests.journeys.called.scenes import (
    BY_JUN,
    CONFIG,
    ELSEWHERE,
    EVERYBODY,
    GROUP,
    LEADS,
    PUT,
    broadcasts,
    in_canary,
    one_broadcast,
    stop_by_alarm,
    texts,
)
from tests.journeys.test_switch_lifecycle import CANARY
from tests.journeys.undo.test_undo import undo

SIREN = ":rotating_light:"
KINDS = "SELECT kind FROM announcements ORDER BY id"


@pytest.fixture
async def harness(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    async with running_harness(tmp_path, database_url, monkeypatch, config=CONFIG) as built:
        yield built


async def test_a_switch_that_an_alarm_stopped_is_told_once_together_with_its_rollback(
    harness: Harness,
) -> None:
    deployment = await in_canary(harness, description=BY_JUN)
    rollback = stop_by_alarm(harness, deployment)
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)

    said = await one_broadcast(harness, deployment, "was rolled back", "alarms", *EVERYBODY)
    assert SIREN not in said
    assert "<!channel>" not in said


async def test_a_rollback_that_failed_is_told_instead_of_the_failure(harness: Harness) -> None:
    deployment = await in_canary(harness)
    harness.aws.faults.lose_hooks()
    rollback = stop_by_alarm(harness, deployment)
    await harness.until(lambda: harness.rows(KINDS))
    harness.aws.stop_deployment(rollback, rollback=False)
    harness.aws.clock.advance(5)

    await one_broadcast(harness, deployment, SIREN, "the rollback of", "failed", "alarms", GROUP)
    assert harness.rows(KINDS) == [{"kind": "rollback_failed"}]


async def test_a_stop_from_outside_that_leaves_traffic_on_green_is_told(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    domains = (SandboxDomain("order", 8020, auto_rollback=()),)
    async with running_harness(tmp_path, database_url, monkeypatch, domains=domains) as harness:
        deployment = await in_canary(harness)
        harness.aws.stop_deployment(deployment, rollback=False)
        harness.aws.clock.advance(5)
        await one_broadcast(harness, deployment, SIREN, "may still be on green", GROUP)


async def test_an_undo_that_works_calls_nobody(harness: Harness) -> None:
    deployment = await in_canary(harness)
    assert (await undo(harness, OLU.id, deployment)).outcome == "closed"
    await harness.until(lambda: harness.aws.calls("StopDeployment"))
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    rollback = harness.aws.deployment(deployment).rollback_id or ""
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)
    await harness.until(lambda: "undo_done" in harness.audit(deployment))
    ended = "SELECT 1 FROM switches WHERE deployment_id = %s AND ended_at IS NOT NULL"
    harness.clock.advance(seconds=30)
    await harness.until(lambda: harness.rows(ended, deployment) and harness.rows(ended, rollback))
    assert harness.rows(KINDS) == []


async def test_an_undo_that_failed_is_told(harness: Harness) -> None:
    deployment = await in_canary(harness)
    harness.aws.faults.add("StopDeployment", "access_denied", times=None)
    assert (await undo(harness, OLU.id, deployment)).outcome == "closed"
    await harness.until(lambda: harness.aws.calls("StopDeployment"))
    harness.clock.advance(minutes=31)

    await one_broadcast(harness, deployment, SIREN, "rolling back", "failed", *EVERYBODY[:3])


async def test_a_decision_that_codedeploy_contradicts_is_told(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    await outsiders.answers(harness, deployment, "Succeeded")
    await harness.reject(GRACE.id, deployment, "orders fail")

    await one_broadcast(harness, deployment, SIREN, "was rejected here", "Succeeded", GROUP)


async def test_an_answer_from_elsewhere_is_told(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    await harness.until(lambda: harness.rows("SELECT 1 FROM evidence WHERE seen_at IS NOT NULL"))
    await outsiders.answers(harness, deployment, "Succeeded")
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    harness.clock.advance(seconds=30)

    await one_broadcast(harness, deployment, SIREN, "was not approved here", GROUP)


async def test_a_decision_that_cannot_be_delivered_is_told(harness: Harness) -> None:
    harness.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "decided")
    harness.clock.advance(minutes=3)

    said = await one_broadcast(harness, deployment, "is approved", "Retrying", GROUP)
    assert SIREN not in said
    harness.clock.advance(hours=2)
    await harness.until(lambda: len(broadcasts(harness)) == 2)
    assert "couldn't be delivered" in texts(harness)[1]
    assert harness.rows(KINDS) == [{"kind": "report_delayed"}, {"kind": "report_undeliverable"}]


async def test_a_delay_that_is_over_before_slack_answers_is_told_no_more(harness: Harness) -> None:
    harness.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "decided")
    harness.slack.faults.error("chat.postMessage", "service_unavailable", times=None)
    harness.clock.advance(minutes=3)
    await harness.until(lambda: harness.rows(KINDS))
    harness.aws.faults.clear(PUT)
    harness.clock.advance(seconds=30)
    assert await harness.reported(deployment) == ["Succeeded"]
    tried_again = "SELECT 1 FROM announcements WHERE attempts >= 2 AND claimed_by IS NULL"
    await harness.until(lambda: not harness.rows(KINDS) or harness.rows(tried_again))
    harness.slack.faults.clear()
    harness.clock.advance(seconds=30)
    await harness.until(lambda: not harness.rows(KINDS))
    assert broadcasts(harness) == []


async def test_an_expiry_while_nobody_could_answer_is_told(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.clock.advance(minutes=58)

    await one_broadcast(harness, deployment, "while Switchgate was unavailable", *EVERYBODY[:3])


async def test_an_expiry_in_time_calls_nobody(harness: Harness) -> None:
    await harness.open_gate("order")
    harness.clock.advance(minutes=55, seconds=30)
    await harness.until(lambda: harness.rows("SELECT 1 FROM gates WHERE verdict = 'expired'"))
    assert harness.rows(KINDS) == []


async def test_another_channel_is_told_too(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_harness(tmp_path, database_url, monkeypatch, config=ELSEWHERE) as harness:
        harness.slack.people.add(LEADS)
        harness.slack.faults.lose_answer("chat.postMessage", channel=LEADS.id)
        deployment, _ = await harness.open_gate("order", config=CANARY)
        await outsiders.answers(harness, deployment, "Succeeded")
        await harness.reject(GRACE.id, deployment, "orders fail")
        await one_broadcast(harness, deployment, "was rejected here")
        (elsewhere,) = harness.slack.messages.in_channel(LEADS.id)
        card = harness.card(deployment)
        assert "was rejected here" in text_of(elsewhere)
        assert f"/archives/{CHANNEL.id}/p{card.ts.replace('.', '')}" in text_of(elsewhere)


async def test_it_waits_for_slack_and_is_posted_once_although_an_answer_is_lost(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    await outsiders.answers(harness, deployment, "Succeeded")
    harness.slack.faults.error("chat.postMessage", "service_unavailable", times=None)
    await harness.reject(GRACE.id, deployment, "orders fail")
    await harness.until(lambda: harness.rows("SELECT 1 FROM announcements WHERE attempts >= 2"))
    harness.slack.faults.clear()
    harness.slack.faults.lose_answer("chat.postMessage", times=2)
    harness.clock.advance(seconds=40)
    await one_broadcast(harness, deployment, "was rejected here")


async def test_a_deleted_card_does_not_silence_it(harness: Harness) -> None:
    deployment = await in_canary(harness)
    card = harness.card(deployment)
    harness.slack.messages.delete(card.channel, card.ts)
    harness.aws.faults.add("StopDeployment", "access_denied", times=None)
    harness.aws.set_alarm("order", "ALARM")
    rollback = stop_by_alarm(harness, deployment)
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)
    said = "was rolled back"
    await harness.until(
        lambda: [
            m
            for m in harness.slack.messages.in_channel(CHANNEL.id)
            if said in text_of(m) and GROUP in text_of(m)
        ]
    )


async def test_the_card_mentions_whom_the_domain_notifies(harness: Harness) -> None:
    _, card = await harness.open_gate("order")
    assert "<@U09LEAD>" in text_of(card)
    hub, _ = await harness.open_gate("hub")
    assert "<@U09LEAD>" not in harness.card_text(hub)
    assert harness.rows(KINDS) == []
