"""Deploying, stopping, alarms, the clock and faults, from the page."""

from app.sandbox.page.fault_toggles import FAULT_TOGGLES
from app.sandbox.people import GRACE, MINA, OLU
from tests.sandbox.page.conftest import Browser

WHO = GRACE.id


async def test_a_domain_is_deployed_and_waits(browser: Browser) -> None:
    browser.harness.aws.speed = 1.0
    status, result = await browser.do("deploy", WHO, domain="hub", shift="canary")
    assert (status, result["words"].startswith("Jun Lee deploys hub (d-")) == (200, True)

    await browser.harness.until(lambda: browser.harness.aws.deployments("hub")[-1].waits_for)

    hub = await browser.domain("hub")
    assert (hub["state"], hub["words"], hub["busy"]) == ("waiting", "Waiting for approval", True)
    assert hub["until_words"] == "CodeDeploy times out in {left}"
    assert (hub["blue"]["share"], hub["green"]["share"]) == (100, 0)
    assert hub["deployment"]["by"] == "jun-lee"
    assert hub["deployment"]["config"] == "Canary10Percent5Minutes"
    status, result = await browser.do("deploy", WHO, domain="hub")
    assert (status, result["trouble"]) == (409, True)


async def test_ones_own_deployment_is_distinguished_from_the_usual_ones(browser: Browser) -> None:
    browser.harness.aws.speed = 1.0
    await browser.do("deploy", MINA.id, domain="user", own=True)
    await browser.harness.until(lambda: browser.harness.cards())
    deployment = browser.harness.aws.deployments("user")[-1].id
    await browser.harness.until(lambda: "approve" in browser.harness.actions(deployment))
    card = browser.harness.card(deployment)

    await browser.do("press", MINA.id, channel=card.channel, ts=card.ts, action_id="approve")

    await browser.harness.until(lambda: browser.harness.slack.messages.ephemerals(MINA.id))
    assert browser.harness.aws.answers(deployment) == []


async def test_all_domains_are_deployed_at_once(browser: Browser) -> None:
    await browser.do("deploy", WHO, domain="auth")

    _, result = await browser.do("deploy", WHO, domain=None)

    assert result["words"] == "Jun Lee deploys 7 of 8. Skipped, a deployment is in progress: auth."
    assert len(browser.harness.aws.deployments()) == 8


async def test_a_stop_takes_the_deployment_back(browser: Browser) -> None:
    deployment = await browser.harness.deploy("order")

    _, result = await browser.do("stop", WHO, domain="order")
    assert result["words"] == f"{deployment} was stopped in the AWS console."
    aws = browser.harness.aws
    aws.advance_until(lambda: aws.deployment(deployment).over)
    rollback = aws.deployments("order")[-1].id
    aws.advance_until(lambda: aws.deployment(rollback).waits_for is not None)
    assert (await browser.domain("order"))["words"] == "Rolling back"
    await browser.harness.until(lambda: aws.answers(rollback))
    aws.advance_until(lambda: aws.deployment(rollback).over)

    order = await browser.domain("order")
    assert (order["state"], order["words"]) == ("rolled-back", "Rolled back")
    assert (await browser.do("stop", WHO, domain="order"))[1]["trouble"]


async def test_a_rollback_that_failed_is_not_called_rolled_back(browser: Browser) -> None:
    deployment = await browser.harness.deploy("order")
    await browser.do("trouble", WHO, name="access-denied", on=True)
    await browser.do("stop", WHO, domain="order")
    aws = browser.harness.aws
    aws.advance_until(lambda: aws.deployment(deployment).over)
    aws.advance_until(lambda: aws.deployments("order")[-1].over)

    order = await browser.domain("order")

    assert (order["state"], order["words"]) == ("failed", "Rollback failed")


async def test_green_fails_its_health_checks_while_it_runs(browser: Browser) -> None:
    assert (await browser.domain("order"))["green_health"] is None
    status, result = await browser.do("health", WHO, domain="order", healthy=False)
    assert (status, result) == (200, {"words": "order has no green tasks.", "trouble": True})
    deployment, _ = await browser.harness.open_gate("order")

    _, result = await browser.do("health", WHO, domain="order", healthy=False)

    assert result["words"] == "order's green is unhealthy."
    assert (await browser.domain("order"))["green_health"] == "unhealthy"
    browser.harness.clock.advance(seconds=11)
    await browser.harness.until(lambda: "nhealthy" in browser.harness.card_text(deployment))
    await browser.do("health", WHO, domain="order", healthy=True)
    assert (await browser.domain("order"))["green_health"] == "healthy"


async def test_an_alarm_goes_off_and_is_over(browser: Browser) -> None:
    deployment = await browser.harness.deploy("order")

    await browser.do("alarm", WHO, domain="order", on=True)

    assert (await browser.domain("order"))["alarm"]
    browser.harness.aws.advance_until(lambda: browser.harness.aws.deployment(deployment).over)
    assert browser.harness.aws.deployment(deployment).error_code == "ALARM_ACTIVE"
    await browser.do("alarm", WHO, domain="order", on=False)
    assert not (await browser.domain("order"))["alarm"]


async def test_a_domain_without_a_smoke_test_has_none_to_fail(browser: Browser) -> None:
    status, result = await browser.do("smoke", WHO, domain="order", passes=False)

    assert (status, result["words"]) == (404, "order has no smoke test")


async def test_the_clock_is_sped_up(browser: Browser) -> None:
    await browser.do("clock", WHO, speed=60)

    assert (await browser.sees(WHO))["speed"] == 60.0
    assert (await browser.do("clock", WHO, speed=7))[0] == 400


async def test_every_step_of_a_switch_has_a_status_text(browser: Browser) -> None:
    deployment, _ = await browser.harness.open_gate("order")
    await browser.harness.approve(OLU.id, deployment)
    await browser.harness.reported(deployment)

    aws = browser.harness.aws
    aws.advance_until(lambda: aws.deployment(deployment).terminates_at is not None)
    order = await browser.domain("order")
    assert (order["state"], order["until_words"], order["green"]["share"]) == (
        "on-green",
        "blue terminates in {left}",
        100,
    )

    aws.advance_until(lambda: aws.deployment(deployment).over)
    order = await browser.domain("order")
    assert (order["state"], order["busy"], order["green"]["share"]) == ("on-green", False, 100)


async def test_faults_are_toggled_on_together_and_off_one_by_one(browser: Browser) -> None:
    await browser.do("trouble", WHO, name="access-denied", on=True)
    await browser.do("trouble", WHO, name="slack-away", on=True)
    assert (await browser.sees(WHO))["troubles"] == ["access-denied", "slack-away"]
    await browser.do("trouble", WHO, name="slack-away", on=False)
    deployment, _ = await browser.harness.open_gate("order")
    await browser.harness.approve(OLU.id, deployment)
    calls = browser.harness.aws.calls
    await browser.harness.until(lambda: calls("PutLifecycleEventHookExecutionStatus"))
    assert browser.harness.aws.answers(deployment) == []

    await browser.do("calm", WHO)
    browser.harness.clock.advance(minutes=2)

    assert await browser.harness.reported(deployment) == ["Succeeded"]
    assert (await browser.sees(WHO))["troubles"] == []
    assert (await browser.do("trouble", WHO, name="flood", on=True))[0] == 404


async def test_every_fault_can_be_toggled_on_and_all_are_cleared(browser: Browser) -> None:
    for toggle in FAULT_TOGGLES:
        assert (await browser.do("trouble", WHO, name=toggle.name, on=True))[0] == 200
    assert len((await browser.sees(WHO))["troubles"]) == len(FAULT_TOGGLES)

    await browser.do("calm", WHO)

    deployment, _ = await browser.harness.open_gate("order")
    await browser.harness.approve(OLU.id, deployment)
    assert await browser.harness.reported(deployment) == ["Succeeded"]


async def test_the_service_is_killed_and_started_again(browser: Browser) -> None:
    assert (await browser.sees(WHO))["service"] == "down"

    assert (await browser.do("service", WHO, order="start"))[1]["words"] == "The service is back."
    assert (await browser.sees(WHO))["service"] == "running"
    assert browser.replica.running

    await browser.do("service", WHO, order="kill")
    assert (await browser.sees(WHO))["service"] == "down"
    assert not browser.replica.running
