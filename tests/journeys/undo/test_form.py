"""The form of Roll back shows what rolling back does now, also if that has changed since the card was drawn."""

import asyncio

from app.sandbox.people import GRACE, MINA, OLU
from app.sandbox.slack.state.shapes import Message, User
from tests.flow import outsiders
from tests.harness import Harness
from tests.journeys.test_switch_lifecycle import CANARY
from tests.journeys.undo.test_undo import finished, form_reason, switched, undo
from tests.slack.play import buttons_of, deploys, form_of, press_in


def shown(harness: Harness, user: User) -> str:
    """The open form as text."""
    return str(harness.slack.views.top(user.id))


async def polled_no_more(harness: Harness) -> None:
    """The record does not notice by itself what becomes of the deployment."""
    await harness.until(lambda: harness.rows("SELECT 1 FROM switches WHERE claimed_by IS NULL"))
    await outsiders.alters(harness, "UPDATE switches SET due_at = now() + interval '1 day'")


async def test_the_form_reads_the_deployment_and_says_that_seconds_have_become_minutes(
    harness: Harness,
) -> None:
    deployment = await switched(harness)
    await polled_no_more(harness)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)

    form = await form_of(harness, OLU, deployment, "undo")
    assert "within seconds" in str(form.body)

    await harness.until(lambda: "CodeDeploy was read just now" in shown(harness, OLU))
    assert "blue is terminated" in shown(harness, OLU)
    assert "takes *minutes*" in shown(harness, OLU)
    assert "ECSAllAtOnce" in shown(harness, OLU)
    assert "overrideAlarmConfiguration" in shown(harness, OLU)
    result = await harness.slack.submit_async(OLU.id, form.id, {"reason": "orders fail"})
    assert result.outcome == "closed"
    await harness.until(lambda: harness.aws.calls("CreateDeployment"))


async def test_the_form_says_so_if_codedeploy_cannot_be_read_and_works_all_the_same(harness: Harness) -> None:
    deployment = await switched(harness)
    for call in ("GetDeployment", "BatchGetDeployments"):
        harness.aws.faults.add(call, "throttle", times=None)

    form = await form_of(harness, OLU, deployment, "undo")

    await harness.until(lambda: "Can't reach CodeDeploy right now" in shown(harness, OLU))
    assert "within seconds" in shown(harness, OLU)
    result = await harness.slack.submit_async(OLU.id, form.id, {"reason": "orders fail"})
    assert result.outcome == "closed"
    await harness.until(lambda: harness.aws.calls("StopDeployment"))


async def test_a_form_whose_deployment_was_undone_meanwhile_says_so_and_keeps_the_reason(
    harness: Harness,
) -> None:
    deployment = await switched(harness)
    form = await form_of(harness, MINA, deployment, "undo")
    await undo(harness, OLU.id, deployment)

    result = await harness.slack.submit_async(MINA.id, form.id, {"reason": "prices are wrong"})

    assert result.outcome == "updated"
    assert "prices are wrong" in str(result.view)
    assert len(harness.table("interventions")) == 1


async def test_who_failed_to_roll_back_finds_their_reason_in_the_next_form(harness: Harness) -> None:
    deployment = await finished(harness)
    harness.aws.faults.lose_hooks()
    harness.aws.deploy("order")
    await undo(harness, GRACE.id, deployment, "orders fail")
    await harness.until(lambda: harness.table("interventions")[0]["phase"] == "failed")

    await form_of(harness, GRACE, deployment, "undo")

    assert form_reason(harness, GRACE) == "orders fail"


async def test_who_rejects_just_after_an_approval_is_offered_roll_back_with_the_reason(
    harness: Harness,
) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    form = await form_of(harness, GRACE, deployment, "reject")
    await harness.approve(MINA.id, deployment)

    result = await harness.slack.submit_async(GRACE.id, form.id, {"reason": "prices are wrong"})

    assert result.outcome == "updated"
    assert f"<@{MINA.id}>" in str(result.view)
    assert "within seconds" in str(result.view)
    assert form_reason(harness, GRACE) == "prices are wrong"
    again = await harness.slack.submit_async(GRACE.id, form.id, {})
    assert again.outcome == "closed"
    await harness.until(lambda: harness.aws.calls("StopDeployment"))
    (asked,) = harness.table("interventions")
    assert (asked["requested_by"], asked["reason"]) == (GRACE.id, "prices are wrong")


async def test_approving_and_rejecting_at_once_leaves_one_decision_and_no_lost_reason(
    harness: Harness,
) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    form = await form_of(harness, GRACE, deployment, "reject")

    _, rejected = await asyncio.gather(
        harness.approve(MINA.id, deployment),
        harness.slack.submit_async(GRACE.id, form.id, {"reason": "prices are wrong"}),
    )

    if harness.gate(deployment)["verdict"] == "approved":
        assert rejected.outcome == "updated"
        assert form_reason(harness, GRACE) == "prices are wrong"
    else:
        assert rejected.outcome == "closed"


async def test_the_reply_to_a_late_reject_has_a_button_that_opens_roll_back(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    listed = await deploys(harness, GRACE)
    await harness.approve(MINA.id, deployment)
    await harness.reported(deployment)

    await press_in(harness, listed, GRACE, "reject")

    def offers() -> list[Message]:
        return [one for one in harness.slack.messages.ephemerals(GRACE.id) if "undo" in buttons_of(one)]

    await harness.until(offers)
    await press_in(harness, offers()[-1], GRACE, "undo")
    await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
    assert "within seconds" in shown(harness, GRACE)
