"""The alarm of the incident rings while somebody takes the switch back: it must not stop that."""

from pathlib import Path

import pytest

from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import GRACE
from tests.cases.aws.undoing import to_the_end
from tests.house import House, living_house
from tests.journeys.test_undo import undo

LINEAR = "CodeDeployDefault.ECSLinear10PercentEvery3Minutes"


async def test_an_undo_turns_the_alarms_off_and_moves_all_at_once(
    tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    domains = (SandboxDomain("order", 8020, config=LINEAR),)
    async with living_house(tmp_path, record_url, monkeypatch, domains=domains) as house:
        deployment = await to_the_end(house)
        house.aws.set_alarm("order", "ALARM")
        await house.press(GRACE.id, deployment, "undo")
        await house.until(lambda: house.slack.views.top(GRACE.id) is not None)
        form = house.slack.views.top(GRACE.id)
        assert form is not None
        assert "switches at once" in str(form)
        assert "alarms of the deployment group do not stop it" in str(form)

        await house.slack.submit_async(GRACE.id, form.id, {"reason": "orders fail"})
        await house.until(lambda: house.aws.calls("CreateDeployment"), 10)

        asked = house.aws.calls("CreateDeployment")[-1].params
        assert asked["overrideAlarmConfiguration"] == {"enabled": False}
        assert asked["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
        await house.play(lambda: "What served before serves again" in house.says(deployment))
        assert "may stop it" not in house.says(deployment)


async def test_where_that_is_not_allowed_the_undo_goes_on_and_the_card_says_what_may_stop_it(
    house: House,
) -> None:
    house.aws.faults.add("UpdateDeploymentGroup", "access_denied", times=None)
    deployment = await to_the_end(house)

    await undo(house, GRACE.id, deployment)
    # In the thread, too: the card may have gone on by the time that it is looked at.
    await house.until(lambda: "may stop it" in house.slack.traffic(), 10)
    assert "UpdateDeploymentGroup" in house.slack.traffic()
    refused, taken = house.aws.calls("CreateDeployment")
    assert refused.outcome != "ok"
    assert "overrideAlarmConfiguration" not in taken.params

    await house.play(lambda: "What served before serves again" in house.says(deployment))
    assert "may stop it" not in house.says(deployment)


async def test_an_undo_that_the_alarm_stops_is_told_as_stopped_by_it(house: House) -> None:
    house.aws.faults.add("UpdateDeploymentGroup", "access_denied", times=None)
    deployment = await to_the_end(house)
    house.aws.set_alarm("order", "ALARM")
    await undo(house, GRACE.id, deployment)
    await house.play(lambda: "ALARM_ACTIVE" in house.says(deployment))
    assert "undo" in house.actions(deployment), "once the alarm is silent it may be tried again"
