"""The way back: in seconds while blue runs, by redeploying after."""

import asyncio

import pytest

from app.sandbox.cast import CHANNEL, GRACE, JUN, MINA, OLU
from app.sandbox.slack.answers import SubmitResult
from tests.flow import outsiders
from tests.house import House, text_of
from tests.journeys.test_following import CANARY, approved
from tests.slack.play import deploys


async def undo(house: House, user: str, deployment: str, reason: str = "orders fail") -> SubmitResult:
    """Presses Undo, and says why in the form that opens."""
    await house.press(user, deployment, "undo")
    await house.until(lambda: house.slack.views.top(user) is not None)
    form = house.slack.views.top(user)
    assert form is not None
    return await house.slack.submit_async(user, form.id, {"reason": reason})


async def switched(house: House, domain: str = "order") -> str:
    deployment = await approved(house, domain)
    house.aws.play_until(lambda: house.aws.deployment(deployment).terminates_at is not None)
    await house.until(lambda: "All traffic is on green" in house.says(deployment))
    return deployment


async def finished(house: House, domain: str = "order") -> str:
    deployment = await switched(house, domain)
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    house.clock.advance(minutes=6)
    await house.until(lambda: "Finished" in house.says(deployment))
    return deployment


async def test_an_undo_in_the_bake_time_brings_traffic_back_to_blue(house: House) -> None:
    deployment = await approved(house, config=CANARY)
    house.aws.play_until(lambda: house.aws.share("order")["green"] == 10)
    await house.until(lambda: "10 % of the traffic" in house.says(deployment))

    result = await undo(house, OLU.id, deployment)

    assert result.outcome == "closed"
    await house.until(lambda: house.aws.calls("StopDeployment"))
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    await house.until(lambda: house.aws.deployment(deployment).rollback_id is not None)
    rollback = house.aws.deployment(deployment).rollback_id
    assert rollback is not None
    assert await house.told(rollback) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.deployment(rollback).over)
    await house.until(lambda: "Taken back to blue" in house.says(deployment))
    assert house.aws.share("order") == {"blue": 100, "green": 0}
    assert f"<@{OLU.id}>" in house.says(deployment)
    assert "orders fail" in house.says(deployment)
    assert "undo" not in house.actions(deployment)
    kinds = house.audit(deployment)
    assert [kind for kind in kinds if kind.startswith("undo")] == ["undo_asked", "undo_sent", "undo_done"]


async def test_after_the_end_an_undo_deploys_what_served_before_and_passes_its_own_gate(house: House) -> None:
    deployment = await finished(house)
    before = house.aws.deployment(deployment).image

    await undo(house, GRACE.id, deployment)

    await house.until(lambda: house.table("interventions")[0]["phase"] == "sent")
    again = house.table("interventions")[0]["deployment_id"]
    await house.play(lambda: house.aws.answers(again))
    assert house.aws.answers(again) == ["Succeeded"]
    gate = house.gate(again)
    assert (gate["basis"], gate["decided_by"]) == ("undo", GRACE.id)
    house.aws.play_until(lambda: house.aws.deployment(again).over)
    await house.until(lambda: "What served before serves again" in house.says(deployment))
    assert house.aws.deployment(again).image != before


async def test_two_people_who_press_undo_make_one_undo(house: House) -> None:
    deployment = await switched(house)
    await asyncio.gather(*(house.press(user, deployment, "undo") for user in (MINA.id, OLU.id)))
    await house.until(lambda: house.slack.views.top(MINA.id) and house.slack.views.top(OLU.id))
    forms = {user: house.slack.views.top(user) for user in (MINA.id, OLU.id)}

    results = await asyncio.gather(
        *(
            house.slack.submit_async(user, form.id, {"reason": "broken"})
            for user, form in forms.items()
            if form is not None
        )
    )

    assert sorted(result.outcome for result in results) == ["closed", "updated"]
    assert len(house.table("interventions")) == 1
    await house.until(lambda: house.aws.calls("StopDeployment"))
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    assert len(house.aws.calls("StopDeployment")) == 1


async def test_somebody_who_may_not_decide_may_not_undo(house: House) -> None:
    deployment = await switched(house)

    await house.press(JUN.id, deployment, "undo")

    await house.until(lambda: "order" in house.whispered(JUN.id))
    assert house.slack.views.top(JUN.id) is None, "nothing is typed in vain"
    assert house.whispered(JUN.id).count(f"<@{GRACE.id}>") == 1
    said = text_of(await deploys(house, JUN, "undo order"))
    assert f"<@{GRACE.id}>" in said
    assert house.slack.views.top(JUN.id) is None
    assert house.table("interventions") == []
    assert house.audit(deployment).count("undo_refused") == 2


async def test_a_deployment_that_finishes_at_the_press_says_so_and_can_be_undone_again(house: House) -> None:
    deployment = await switched(house)
    await house.press(MINA.id, deployment, "undo")
    await house.until(lambda: house.slack.views.top(MINA.id) is not None)
    form = house.slack.views.top(MINA.id)
    assert form is not None
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)

    await house.slack.submit_async(MINA.id, form.id, {"reason": "broken"})

    house.clock.advance(minutes=6)
    await house.until(lambda: "undo again" in house.says(deployment))
    await house.until(lambda: "Finished" in house.says(deployment))
    assert house.table("interventions")[0]["phase"] == "failed"
    assert "undo" in house.actions(deployment)


async def test_an_undo_while_another_deployment_runs_is_refused_with_the_reason(house: House) -> None:
    deployment = await finished(house)
    await house.press(OLU.id, deployment, "undo")
    await house.until(lambda: house.slack.views.top(OLU.id) is not None)
    form = house.slack.views.top(OLU.id)
    assert form is not None
    later, _ = await house.ask("order")

    result = await house.slack.submit_async(OLU.id, form.id, {"reason": "broken"})

    assert result.outcome == "updated"
    assert "later deployment" in str(result.view)
    assert house.table("interventions") == []
    assert house.gate(later)["phase"] == "awaiting"


async def test_a_lost_answer_to_stop_deployment_is_still_one_undo(house: House) -> None:
    deployment = await switched(house)
    house.aws.faults.add("StopDeployment", "drop_after_commit", times=1)

    await undo(house, MINA.id, deployment)

    await house.play(lambda: house.aws.share("order")["blue"] == 100)
    await house.until(lambda: "Taken back to blue" in house.says(deployment))


async def test_codedeploy_away_is_shown_and_tried_until_it_answers(house: House) -> None:
    deployment = await switched(house)
    house.aws.faults.add("StopDeployment", "access_denied", times=3)

    await undo(house, MINA.id, deployment)

    await house.until(lambda: "cannot be reached" in house.says(deployment))
    house.clock.advance(seconds=60)
    await house.until(lambda: house.table("interventions")[0]["phase"] != "asked")
    await house.play(lambda: house.aws.share("order")["blue"] == 100)
    await house.until(lambda: "Taken back to blue" in house.says(deployment))


async def test_the_command_opens_the_form_for_the_latest_switch(house: House) -> None:
    deployment = await switched(house)

    await house.slack.slash_async(MINA.id, "C01DEPLOY", "/deploys", "undo order")

    await house.until(lambda: house.slack.views.top(MINA.id) is not None)
    assert deployment in str(house.slack.views.top(MINA.id))


async def test_an_undo_whose_passage_failed_passes_at_a_later_look(house: House) -> None:
    deployment = await finished(house)
    refuse = "ALTER TABLE gates ADD CONSTRAINT broken CHECK (basis <> 'undo') NOT VALID"
    await outsiders.alters(house, refuse)
    await undo(house, GRACE.id, deployment)
    await house.until(lambda: len(house.aws.deployments("order")) == 2)
    again = house.aws.deployments("order")[-1].id
    house.aws.play_until(lambda: house.aws.deployment(again).waits_for is not None)
    learned = "SELECT 1 FROM switches WHERE deployment_id = %s AND hook_started_at IS NOT NULL AND traffic IS NOT NULL"
    await house.until(lambda: house.rows(learned, again))  # nothing else is news of it any more
    assert house.gate(again)["phase"] == "awaiting"
    await outsiders.alters(house, "ALTER TABLE gates DROP CONSTRAINT broken")
    house.clock.advance(seconds=30)
    assert await house.told(again) == ["Succeeded"]
    assert house.gate(again)["basis"] == "undo"


@pytest.mark.parametrize("how", ["rejected", "undone"])
async def test_the_card_of_a_rollback_says_what_serves_and_never_that_green_does(
    house: House, how: str
) -> None:
    if how == "rejected":
        deployment, _ = await house.ask("order")
        await house.reject(OLU.id, deployment, "orders fail")
    else:
        deployment = await switched(house)
        await undo(house, OLU.id, deployment)
    await house.play(lambda: house.aws.deployment(deployment).rollback_id)
    rollback = house.aws.deployment(deployment).rollback_id or ""
    assert await house.told(rollback) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.deployment(rollback).over)
    house.clock.advance(seconds=30)

    await house.until(lambda: "rollback, passed at once" in text_of(house.cards()[-1]))
    posted = house.cards()[-1]

    def card() -> str:
        return text_of(house.cards()[-1])

    def thread() -> str:
        return "\n".join(map(text_of, house.slack.messages.replies(CHANNEL.id, posted.ts)))

    await house.until(lambda: "The rollback is complete" in card())
    await house.until(lambda: "The rollback is complete" in thread())
    assert "What served before serves all traffic" in card()
    assert "What served before serves all traffic" in thread()
    for word in ("on green", "blue is gone", "Waits for an answer", "automatic", ":large_green_square:"):
        assert word not in card() + thread(), word
    never_left = "Blue serves all traffic*, and did all along" in house.says(deployment)
    assert never_left == (how == "rejected")
