"""The laws of the house, one play each. What each means in detail is played elsewhere."""

import asyncio
import json
from functools import partial

import psycopg
import pytest

from app.gate.deadline import LATEST
from app.sandbox.cast import CHANNEL, GRACE, JUN, MINA, OLU
from app.sandbox.slack.answers import PressResult
from tests.house import House


async def test_law_1_durable_before_told(house: House) -> None:
    """By the time the press is acked, the vote and its decision are in the record."""
    deployment, _ = await house.ask("order")

    press: PressResult = await house.approve(MINA.id, deployment)

    assert press.acked
    assert house.gate(deployment)["decided_by"] == MINA.id
    assert house.gate(deployment)["decided_at"] is not None


async def test_law_2_one_gate_one_decision(house: House) -> None:
    deployment, _ = await house.ask("order")

    await asyncio.gather(*(house.approve(user, deployment) for user in (MINA.id, OLU.id, GRACE.id) * 4))

    assert await house.told(deployment) == ["Succeeded"]
    assert house.audit(deployment).count("gate_decided") == 1
    first = house.gate(deployment)["decided_by"]
    for user in {MINA.id, OLU.id, GRACE.id} - {first}:
        await house.until(partial(_heard, house, user, first))


def _heard(house: House, user: str, first: str) -> bool:
    return f"<@{first}>" in house.whispered(user)


async def test_law_3_codedeploy_hears_what_was_decided_or_the_difference_is_shown(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.faults.add("PutLifecycleEventHookExecutionStatus", "access_denied", times=1)
    await house.approve(OLU.id, deployment)

    house.aws.stop_deployment(deployment)  # CodeDeploy now holds Failed, whatever was decided
    house.aws.clock.advance(5)
    house.clock.advance(minutes=2)

    await house.until(lambda: house.gate(deployment)["outcome"] == "contradicted", 20)
    assert house.gate(deployment)["verdict"] == "approved"
    await house.until(lambda: ":rotating_light:" in house.says(deployment))
    assert "report_contradicted" in house.audit(deployment)


async def test_law_4_nothing_waits_for_ever(house: House) -> None:
    deployment, _ = await house.ask("order")
    gate = house.gate(deployment)
    assert gate["deadline_at"] - gate["opened_at"] <= LATEST

    house.clock.advance(minutes=55, seconds=1)

    assert await house.told(deployment) == ["Failed"]
    assert house.gate(deployment)["verdict"] == "expired"


async def test_law_5_only_the_right_people_decide(house: House) -> None:
    """Jun may not, whatever the button's value claims."""
    deployment, _ = await house.ask("order")
    value = f"{house.gate(deployment)['id']}.{house.gate(deployment)['edition']}"

    await house.press(JUN.id, deployment, "approve")
    await house.press(JUN.id, deployment, "approve", value=value)
    await house.press(JUN.id, deployment, "approve", value=f"{value}/{MINA.id}")

    assert house.gate(deployment)["phase"] == "awaiting"
    assert house.aws.answers(deployment) == []


async def test_law_6_everything_that_happened_is_in_the_record_and_stays_there(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.reject(OLU.id, deployment, "the cart is empty")
    await house.told(deployment)

    kinds = house.audit(deployment)
    assert [kind for kind in kinds if kind in {"gate_opened", "vote_cast", "gate_decided"}] == [
        "gate_opened",
        "vote_cast",
        "gate_decided",
    ]
    for change in ("UPDATE audit_events SET actor = 'U99'", "DELETE FROM audit_events"):
        with psycopg.connect(house.database_url) as record, pytest.raises(psycopg.errors.IntegrityError):
            record.execute(change)


async def test_law_7_a_side_effect_that_fails_is_retried_and_never_doubles_a_decision(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.faults.add("PutLifecycleEventHookExecutionStatus", "error_after_commit", times=2)
    house.slack.faults.server_error("chat.update", times=2)

    await house.approve(MINA.id, deployment)

    await house.until(lambda: house.gate(deployment)["outcome"] == "told", 20)
    assert house.aws.answers(deployment) == ["Succeeded"]
    await house.until(lambda: "Succeeded" in house.says(deployment), 20)


async def test_law_8_unknown_is_closed(house: House) -> None:
    """A deployment group that no domain names: its hook is refused, and the Lambda answers Failed."""
    config = house.stage.config_file.read_text()
    house.stage.config_file.write_text(config.replace("klp-logistics-hub-dg", "somebody-elses-dg"))
    house.service.reload(house.stage.config_file)

    deployment = house.aws.deploy("hub")

    assert await house.told(deployment) == ["Failed"]
    assert house.table("gates") == []
    assert house.audit(deployment) == ["hook_refused"]


async def test_law_9_a_rescue_is_never_blocked(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.reject(OLU.id, deployment, "no")
    await house.told(deployment)

    await house.until(lambda: house.aws.deployment(deployment).rollback_id is not None)
    rollback = house.aws.deployment(deployment).rollback_id

    assert rollback is not None
    assert await house.told(rollback) == ["Succeeded"]
    assert house.gate(rollback)["basis"] == "rescue"


async def test_law_10_secrets_stay_secret(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    deployment, _ = await house.ask("order")
    execution = house.rows("SELECT execution_id FROM gates")[0]["execution_id"]
    await house.approve(MINA.id, deployment)
    await house.told(deployment)
    await house.slack.slash_async(MINA.id, CHANNEL.id, "/deploys", "order")

    told = json.dumps(house.table("audit_events"), default=str) + house.slack.traffic()
    logged = capsys.readouterr()

    assert execution not in told + logged.out + logged.err
    await house.until(lambda: house.rows("SELECT 1 FROM gates WHERE execution_id IS NULL"))
