"""Edge cases of undo: after a failed deployment, or after another request. Each within 10 s."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import GRACE, MINA, OLU, config_text
from tests.harness import Harness, running_harness
from tests.journeys.test_switch_lifecycle import CANARY, approved
from tests.journeys.undo.test_undo import finished, switched, undo
from tests.slack.play import deploys

QUICK = 10.0
ORDER = SandboxDomain("order", 8020)
NEVER_ROLLS_BACK = SandboxDomain("order", 8020, auto_rollback=())
AFTER_TOO = SandboxDomain(
    "order", 8020, auto_rollback=(), hooks=("BeforeAllowTraffic", "AfterAllowTraffic"), config=CANARY
)
FINISH_NOW = config_text((ORDER,)).replace("[policy]", "[policy]\nfinish_now = true")


@pytest.fixture
async def plain(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harness]:
    async with running_harness(tmp_path, database_url, monkeypatch, domains=(NEVER_ROLLS_BACK,)) as built:
        yield built


@pytest.fixture
async def finishing(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    async with running_harness(
        tmp_path, database_url, monkeypatch, domains=(ORDER,), config=FINISH_NOW
    ) as built:
        yield built


async def in_canary(harness: Harness) -> str:
    deployment = await approved(harness, config=CANARY)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: "10% of traffic" in harness.card_text(deployment))
    return deployment


async def taken_back_by_a_redeployment(harness: Harness, deployment: str) -> None:
    """The card offers it, says what it does, and it is under way in time."""
    says = "redeploys klp-logistics-order:41"
    await harness.until(lambda: says in harness.card_text(deployment), QUICK)
    assert "undo" in harness.actions(deployment)
    await undo(harness, OLU.id, deployment)
    await harness.until(lambda: harness.aws.calls("CreateDeployment"), QUICK)
    await harness.advance_until(lambda: "Previous version live again" in harness.card_text(deployment))
    again = harness.table("interventions")[-1]["deployment_id"]
    assert harness.aws.deployment(again).image.endswith(":1.41.0")
    assert harness.aws.deployment(again).green_share == 100
    assert "still on green" not in harness.card_text(deployment)


@pytest.mark.parametrize("domain", [ORDER, NEVER_ROLLS_BACK], ids=["rolls back else", "never rolls back"])
async def test_a_canary_stopped_without_a_rollback_is_taken_back_by_a_redeployment(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, domain: SandboxDomain
) -> None:
    async with running_harness(tmp_path, database_url, monkeypatch, domains=(domain,)) as harness:
        deployment = await in_canary(harness)
        harness.aws.stop_deployment(deployment, rollback=False)
        harness.aws.clock.advance(5)

        await harness.until(
            lambda: "10% of traffic is still on green" in harness.card_text(deployment), QUICK
        )
        assert "stopped by a user" in harness.card_text(deployment)
        await taken_back_by_a_redeployment(harness, deployment)


async def test_a_switch_whose_rollback_failed_is_taken_back_by_a_redeployment(harness: Harness) -> None:
    deployment = await in_canary(harness)
    harness.aws.faults.lose_hooks()
    harness.aws.set_alarm("order", "ALARM")
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id or ""
    await harness.until(lambda: "in progress" in harness.card_text(deployment), QUICK)
    assert "undo" not in harness.actions(deployment), "CodeDeploy is at it"
    said = str(await deploys(harness, OLU, "undo order"))
    assert "already rolling back order" in said

    harness.aws.stop_deployment(rollback, rollback=False)
    harness.aws.clock.advance(5)

    await harness.until(lambda: f"Rollback {rollback} failed" in harness.card_text(deployment), QUICK)
    await harness.until(lambda: "10% of traffic is still on green" in harness.card_text(deployment), QUICK)
    await taken_back_by_a_redeployment(harness, deployment)


async def test_a_failure_after_all_traffic_moved_is_taken_back_by_a_redeployment(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_harness(tmp_path, database_url, monkeypatch, domains=(AFTER_TOO,)) as harness:
        deployment = await in_canary(harness)
        harness.aws.faults.lose_hooks()
        harness.aws.advance_until(lambda: harness.aws.deployment(deployment).waits_for == "AfterAllowTraffic")
        harness.aws.clock.advance(3601)
        harness.clock.advance(seconds=30)

        await harness.until(
            lambda: "100% of traffic is still on green" in harness.card_text(deployment), QUICK
        )
        assert harness.aws.share("order")["green"] == 100
        await taken_back_by_a_redeployment(harness, deployment)


async def test_where_nobody_can_tell_where_the_traffic_is_undo_is_offered(plain: Harness) -> None:
    deployment, _ = await plain.open_gate("order", config=CANARY)
    none_yet = "SELECT 1 FROM switches WHERE hook_started_at IS NOT NULL AND coalesce(green_percent, 0) = 0"
    await plain.until(lambda: plain.rows(none_yet))
    plain.aws.faults.add("GetDeploymentTarget", "access_denied", times=None)
    await plain.approve(MINA.id, deployment)
    assert await plain.reported(deployment) == ["Succeeded"]
    plain.aws.advance_until(lambda: plain.aws.share("order")["green"] == 10)
    plain.aws.stop_deployment(deployment, rollback=False)
    plain.aws.clock.advance(5)
    plain.clock.advance(seconds=60)

    await plain.until(lambda: "still on green is unknown" in plain.card_text(deployment), QUICK)
    assert "undo" in plain.actions(deployment)


async def test_a_stop_that_came_too_late_for_a_rollback_leads_to_a_redeployment(plain: Harness) -> None:
    deployment = await in_canary(plain)
    await plain.press(OLU.id, deployment, "undo")
    await plain.until(lambda: plain.slack.views.top(OLU.id) is not None)
    form = plain.slack.views.top(OLU.id)
    assert form is not None
    plain.aws.stop_deployment(deployment, rollback=False)
    plain.aws.clock.advance(5)

    result = await plain.slack.submit_async(OLU.id, form.id, {"reason": "orders fail"})

    assert result.outcome == "updated"
    assert "submit again to confirm" in str(plain.slack.views.top(OLU.id))
    await taken_back_by_a_redeployment(plain, deployment)


@pytest.mark.parametrize("fault", ["throttle", "access_denied"])
async def test_an_undo_replaces_a_finish_now_that_codedeploy_has_not_taken(
    finishing: Harness, fault: str
) -> None:
    deployment = await switched(finishing)
    finishing.aws.faults.add("ContinueDeployment", fault, times=None)  # type: ignore[arg-type]
    await finishing.press(MINA.id, deployment, "finish")
    await finishing.until(lambda: "Can't reach CodeDeploy" in finishing.card_text(deployment))
    assert "undo" in finishing.actions(deployment)
    assert "finish" not in finishing.actions(deployment), "one at a time"

    await finishing.press(GRACE.id, deployment, "undo")
    await finishing.until(lambda: finishing.slack.views.top(GRACE.id) is not None)
    form = finishing.slack.views.top(GRACE.id)
    assert form is not None
    assert "this rollback replaces it" in str(form)
    await finishing.slack.submit_async(GRACE.id, form.id, {"reason": "orders fail"})

    await finishing.until(lambda: finishing.aws.calls("StopDeployment"), QUICK)
    finishing.aws.faults.clear("ContinueDeployment")
    await finishing.advance_until(lambda: "Rolled back to blue" in finishing.card_text(deployment))
    phases = {row["kind"]: (row["phase"], row["problem_code"]) for row in finishing.table("interventions")}
    assert phases["finish"] == ("failed", "replaced_by_undo")
    assert phases["stop"][0] == "done"
    kinds = finishing.audit(deployment)
    assert kinds.index("finish_failed") < kinds.index("undo_requested")
    assert all(call.outcome != "ok" for call in finishing.aws.calls("ContinueDeployment"))


async def test_an_undo_during_a_finish_now_request_still_stops_the_deployment(
    finishing: Harness,
) -> None:
    """CodeDeploy takes the end of blue, and the undo right after it."""
    deployment = await switched(finishing)
    finishing.aws.faults.slow("ContinueDeployment", 1500, times=1)
    await finishing.press(MINA.id, deployment, "finish")
    await finishing.until(lambda: finishing.table("interventions")[0]["claimed_by"] is not None)

    await undo(finishing, GRACE.id, deployment)

    await finishing.until(lambda: finishing.aws.calls("StopDeployment"), QUICK)
    await finishing.until(lambda: finishing.aws.calls("ContinueDeployment"), QUICK)
    told = finishing.aws.calls("ContinueDeployment")[0].outcome
    await finishing.until(lambda: told != "ok" or "finish_sent" in finishing.audit(deployment), QUICK)
    await finishing.advance_until(lambda: "Rolled back to blue" in finishing.card_text(deployment))
    assert finishing.aws.share("order") == {"blue": 100, "green": 0}


async def test_two_who_ask_to_end_blue_are_one(finishing: Harness) -> None:
    deployment = await switched(finishing)
    finishing.aws.faults.add("ContinueDeployment", "throttle", times=None)
    await finishing.press(MINA.id, deployment, "finish")
    await finishing.press(GRACE.id, deployment, "finish")
    await finishing.until(lambda: "already requested this" in finishing.ephemerals(GRACE.id))
    assert len(finishing.table("interventions")) == 1


async def test_an_undo_does_not_wait_for_an_ecs_that_does_not_answer(harness: Harness) -> None:
    deployment = await finished(harness)
    harness.aws.faults.slow("DescribeTaskDefinition", 30_000)

    await undo(harness, OLU.id, deployment)

    await harness.until(lambda: harness.aws.calls("CreateDeployment"), QUICK)
