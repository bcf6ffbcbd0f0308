"""Undo: in seconds while blue runs, by a redeployment afterwards."""

import asyncio

from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU
from app.sandbox.slack.delivery.answers import SubmitResult
from app.sandbox.slack.state.shapes import User
from tests.flow import outsiders
from tests.harness import Harness, text_of
from tests.journeys.test_switch_lifecycle import CANARY, approved
from tests.slack.play import deploys


async def undo(harness: Harness, user: str, deployment: str, reason: str = "orders fail") -> SubmitResult:
    """Presses Undo and submits the reason in the modal."""
    await harness.press(user, deployment, "undo")
    await harness.until(lambda: harness.slack.views.top(user) is not None)
    form = harness.slack.views.top(user)
    assert form is not None
    return await harness.slack.submit_async(user, form.id, {"reason": reason})


async def switched(harness: Harness, domain: str = "order") -> str:
    deployment = await approved(harness, domain)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).terminates_at is not None)
    await harness.until(lambda: "100% on green" in harness.card_text(deployment))
    return deployment


async def finished(harness: Harness, domain: str = "order") -> str:
    deployment = await switched(harness, domain)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    harness.clock.advance(minutes=6)
    await harness.until(lambda: "Completed" in harness.card_text(deployment))
    return deployment


async def test_an_undo_in_the_bake_time_brings_traffic_back_to_blue(harness: Harness) -> None:
    deployment = await approved(harness, config=CANARY)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: "10% of traffic" in harness.card_text(deployment))

    result = await undo(harness, OLU.id, deployment)

    assert result.outcome == "closed"
    await harness.until(lambda: harness.aws.calls("StopDeployment"))
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    await harness.until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)
    await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))
    assert harness.aws.share("order") == {"blue": 100, "green": 0}
    assert f"<@{OLU.id}>" in harness.card_text(deployment)
    assert "orders fail" in harness.card_text(deployment)
    assert "undo" not in harness.actions(deployment)
    kinds = harness.audit(deployment)
    assert [kind for kind in kinds if kind.startswith("undo")] == ["undo_requested", "undo_sent", "undo_done"]


async def test_after_the_end_an_undo_deploys_what_served_before_and_passes_its_own_gate(
    harness: Harness,
) -> None:
    deployment = await finished(harness)
    before = harness.aws.deployment(deployment).image

    await undo(harness, GRACE.id, deployment)

    await harness.until(lambda: harness.table("interventions")[0]["phase"] == "sent")
    again = harness.table("interventions")[0]["deployment_id"]
    await harness.advance_until(lambda: harness.aws.answers(again))
    assert harness.aws.answers(again) == ["Succeeded"]
    gate = harness.gate(again)
    assert (gate["basis"], gate["decided_by"]) == ("undo", GRACE.id)
    harness.aws.advance_until(lambda: harness.aws.deployment(again).over)
    await harness.until(lambda: "Previous version live again" in harness.card_text(deployment))
    assert harness.aws.deployment(again).image != before


async def test_two_people_who_press_undo_make_one_undo(harness: Harness) -> None:
    deployment = await switched(harness)
    await asyncio.gather(*(harness.press(user, deployment, "undo") for user in (MINA.id, OLU.id)))
    await harness.until(lambda: harness.slack.views.top(MINA.id) and harness.slack.views.top(OLU.id))
    forms = {user: harness.slack.views.top(user) for user in (MINA.id, OLU.id)}

    results = await asyncio.gather(
        *(
            harness.slack.submit_async(user, form.id, {"reason": "broken"})
            for user, form in forms.items()
            if form is not None
        )
    )

    assert sorted(result.outcome for result in results) == ["closed", "updated"]
    assert len(harness.table("interventions")) == 1
    await harness.until(lambda: harness.aws.calls("StopDeployment"))
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    assert len(harness.aws.calls("StopDeployment")) == 1


async def test_somebody_who_may_not_decide_may_not_undo(harness: Harness) -> None:
    deployment = await switched(harness)

    await harness.press(JUN.id, deployment, "undo")

    await harness.until(lambda: "order" in harness.ephemerals(JUN.id))
    assert harness.slack.views.top(JUN.id) is None, "nothing is typed in vain"
    assert harness.ephemerals(JUN.id).count(f"<@{GRACE.id}>") == 1
    said = text_of(await deploys(harness, JUN, "undo order"))
    assert f"<@{GRACE.id}>" in said
    assert harness.slack.views.top(JUN.id) is None
    assert harness.table("interventions") == []
    assert harness.audit(deployment).count("undo_denied") == 2


def form_reason(harness: Harness, user: User) -> str:
    """What the form that is open has as its reason."""
    form = harness.slack.views.top(user.id)
    assert form is not None
    (element,) = [block["element"] for block in form.body["blocks"] if block["type"] == "input"]
    return str(element.get("initial_value", ""))


async def test_a_deployment_that_finishes_while_the_form_is_open_changes_the_form_and_keeps_the_reason(
    harness: Harness,
) -> None:
    deployment = await switched(harness)
    await harness.press(OLU.id, deployment, "undo")
    await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
    form = harness.slack.views.top(OLU.id)
    assert form is not None
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)

    result = await harness.slack.submit_async(OLU.id, form.id, {"reason": "broken"})

    assert result.outcome == "updated"
    assert harness.table("interventions") == []
    assert "moved on" in str(result.view)
    assert "takes *minutes*" in str(result.view)
    assert form_reason(harness, OLU) == "broken"
    again = await harness.slack.submit_async(OLU.id, form.id, {})
    assert again.outcome == "closed"
    await harness.until(lambda: harness.aws.calls("CreateDeployment"))
    assert [row["reason"] for row in harness.table("interventions")] == ["broken"]


async def test_an_undo_while_another_deployment_runs_is_refused_with_the_reason(harness: Harness) -> None:
    deployment = await finished(harness)
    await harness.press(OLU.id, deployment, "undo")
    await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
    form = harness.slack.views.top(OLU.id)
    assert form is not None
    later, _ = await harness.open_gate("order")

    result = await harness.slack.submit_async(OLU.id, form.id, {"reason": "broken"})

    assert result.outcome == "updated"
    assert "newer deployment" in str(result.view)
    assert harness.table("interventions") == []
    assert harness.gate(later)["phase"] == "awaiting"


async def test_a_lost_answer_to_stop_deployment_is_still_one_undo(harness: Harness) -> None:
    deployment = await switched(harness)
    harness.aws.faults.add("StopDeployment", "drop_after_commit", times=1)

    await undo(harness, MINA.id, deployment)

    await harness.advance_until(lambda: harness.aws.share("order")["blue"] == 100)
    await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))


async def test_an_outage_of_codedeploy_is_shown_and_the_report_retried(harness: Harness) -> None:
    deployment = await switched(harness)
    harness.aws.faults.add("StopDeployment", "access_denied", times=None)

    await undo(harness, MINA.id, deployment)

    await harness.until(lambda: "Can't reach CodeDeploy" in harness.card_text(deployment))
    harness.aws.faults.clear("StopDeployment")
    harness.clock.advance(seconds=60)
    await harness.until(lambda: harness.table("interventions")[0]["phase"] != "requested")
    await harness.advance_until(lambda: harness.aws.share("order")["blue"] == 100)
    await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))


async def test_the_command_opens_the_form_for_the_latest_switch(harness: Harness) -> None:
    deployment = await switched(harness)

    await harness.slack.slash_async(MINA.id, "C01DEPLOY", "/deploys", "undo order")

    await harness.until(lambda: harness.slack.views.top(MINA.id) is not None)
    assert deployment in str(harness.slack.views.top(MINA.id))


async def test_an_undo_whose_approval_failed_is_approved_at_a_later_poll(harness: Harness) -> None:
    deployment = await finished(harness)
    refuse = "ALTER TABLE gates ADD CONSTRAINT broken CHECK (basis <> 'undo') NOT VALID"
    await outsiders.alters(harness, refuse)
    await undo(harness, GRACE.id, deployment)
    await harness.until(lambda: len(harness.aws.deployments("order")) == 2)
    again = harness.aws.deployments("order")[-1].id
    harness.aws.advance_until(lambda: harness.aws.deployment(again).waits_for is not None)
    learned = "SELECT 1 FROM switches WHERE deployment_id = %s AND hook_started_at IS NOT NULL AND traffic IS NOT NULL"
    await harness.until(lambda: harness.rows(learned, again))  # nothing else is news of it any more
    assert harness.gate(again)["phase"] == "awaiting"
    await outsiders.alters(harness, "ALTER TABLE gates DROP CONSTRAINT broken")
    harness.clock.advance(seconds=30)
    assert await harness.reported(again) == ["Succeeded"]
    assert harness.gate(again)["basis"] == "undo"


async def test_the_card_of_a_rollback_says_what_serves_and_never_that_green_does(harness: Harness) -> None:
    deployment = await switched(harness)
    harness.aws.stop_deployment(deployment)
    harness.aws.clock.advance(5)
    harness.clock.advance(seconds=30)
    await harness.advance_until(lambda: harness.aws.deployment(deployment).rollback_id)
    rollback = harness.aws.deployment(deployment).rollback_id or ""
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)
    harness.clock.advance(seconds=30)

    await harness.until(lambda: "*Automatic rollback*" in text_of(harness.cards()[-1]))
    posted = harness.cards()[-1]

    def card() -> str:
        return text_of(harness.cards()[-1])

    def thread() -> str:
        return "\n".join(map(text_of, harness.slack.messages.replies(CHANNEL.id, posted.ts)))

    await harness.until(lambda: "Rollback completed" in card())
    await harness.until(lambda: "Rollback completed" in thread())
    assert "The previous version serves all traffic" in card()
    assert "The previous version serves all traffic" in thread()
    for word in ("on green", "blue terminated", "Waiting for approval", ":large_green_square:"):
        assert word not in card() + thread(), word
    await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))
    assert "never left blue" not in harness.card_text(deployment)
