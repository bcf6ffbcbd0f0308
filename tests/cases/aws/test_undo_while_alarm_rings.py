"""The alarm of the incident rings while somebody takes the switch back: it must not stop that."""

from pathlib import Path

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import GRACE
from tests.cases.aws.undoing import to_the_end
from tests.harness import Harness, running_harness
from tests.journeys.undo.test_undo import undo

LINEAR = "CodeDeployDefault.ECSLinear10PercentEvery3Minutes"


async def test_an_undo_turns_the_alarms_off_and_moves_all_at_once(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    domains = (SandboxDomain("order", 8020, config=LINEAR),)
    async with running_harness(tmp_path, database_url, monkeypatch, domains=domains) as harness:
        deployment = await to_the_end(harness)
        harness.aws.set_alarm("order", "ALARM")
        await harness.press(GRACE.id, deployment, "undo")
        await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
        form = harness.slack.views.top(GRACE.id)
        assert form is not None
        assert "switches immediately" in str(form)
        assert "alarms are turned off for this deployment (overrideAlarmConfiguration)" in str(form)

        await harness.slack.submit_async(GRACE.id, form.id, {"reason": "orders fail"})
        await harness.until(lambda: harness.aws.calls("CreateDeployment"), 10)

        asked = harness.aws.calls("CreateDeployment")[-1].params
        assert asked["overrideAlarmConfiguration"] == {"enabled": False}
        assert asked["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
        await harness.advance_until(lambda: "Previous version live again" in harness.card_text(deployment))
        assert "may stop it" not in harness.card_text(deployment)


async def test_where_that_is_not_allowed_the_undo_goes_on_and_the_card_says_what_may_stop_it(
    harness: Harness,
) -> None:
    harness.aws.faults.add("UpdateDeploymentGroup", "access_denied", times=None)
    deployment = await to_the_end(harness)

    await undo(harness, GRACE.id, deployment)
    # In the thread, too: the card may have gone on by the time that it is looked at.
    await harness.until(lambda: "may stop it" in harness.slack.traffic(), 10)
    assert "UpdateDeploymentGroup" in harness.slack.traffic()
    refused, taken = harness.aws.calls("CreateDeployment")
    assert refused.outcome != "ok"
    assert "overrideAlarmConfiguration" not in taken.params

    await harness.advance_until(lambda: "Previous version live again" in harness.card_text(deployment))
    assert "may stop it" not in harness.card_text(deployment)


async def test_an_undo_that_the_alarm_stops_is_shown_as_stopped_by_it(harness: Harness) -> None:
    harness.aws.faults.add("UpdateDeploymentGroup", "access_denied", times=None)
    deployment = await to_the_end(harness)
    harness.aws.set_alarm("order", "ALARM")
    await undo(harness, GRACE.id, deployment)
    await harness.advance_until(lambda: "ALARM_ACTIVE" in harness.card_text(deployment))
    assert "undo" in harness.actions(deployment), "once the alarm is silent it may be tried again"
