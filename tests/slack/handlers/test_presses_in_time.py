"""The order of presses: the first decides, and everybody after is answered with who that was."""

import asyncio

from app.sandbox.people import GRACE, JUN, MINA, OLU
from app.sandbox.slack.delivery.answers import SubmitResult
from app.sandbox.slack.state.shapes import User
from tests.harness import Harness, text_of
from tests.slack.play import (
    TWO_APPROVALS,
    Build,
    decisions,
    deploys,
    naming,
    press_in,
    votes,
    wait_for_reply,
    whispers,
)


async def form_of(harness: Harness, user: User, deployment: str) -> str:
    """Presses Reject; gives the id of the form that opens."""
    await harness.press(user.id, deployment, "reject")
    await harness.until(lambda: harness.slack.views.top(user.id))
    form = harness.slack.views.top(user.id)
    assert form is not None
    return form.id


def notice(result: SubmitResult) -> str:
    """What the form turned into."""
    assert result.view is not None
    return str(result.view.body["blocks"])


async def test_a_press_after_the_deadline_is_answered_that_it_was_too_late(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.clock.advance(minutes=56)
    await harness.approve(OLU.id, deployment)
    await wait_for_reply(harness, OLU, "raffic stays on blue")
    assert await harness.reported(deployment) == ["Failed"]
    assert harness.gate(deployment)["verdict"] == "expired"
    await harness.until(lambda: "not approved by" in harness.card_text(deployment))


async def test_a_form_submitted_after_the_deadline_says_so_and_rejects_nothing(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    form = await form_of(harness, OLU, deployment)
    harness.clock.advance(minutes=56)
    result = await harness.slack.submit_async(OLU.id, form, {"reason": "too slow"})
    assert result.outcome == "updated"
    assert "raffic stays on blue" in notice(result)
    await harness.reported(deployment)
    assert harness.gate(deployment)["verdict"] == "expired"
    assert harness.gate(deployment)["reason"] is None


async def test_the_second_press_learns_who_was_first(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.approve(GRACE.id, deployment)
    assert (await harness.approve(OLU.id, deployment)).acked
    await wait_for_reply(harness, OLU, "already approved", f"<@{GRACE.id}>", "<!date^")
    assert (await harness.press(MINA.id, deployment, "reject")).acked
    await wait_for_reply(harness, MINA, "이미 승인", f"<@{GRACE.id}>")
    assert harness.slack.views.top(MINA.id) is None
    assert decisions(harness, deployment) == 1


async def test_a_form_submitted_after_the_decision_learns_who_was_first(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    form = await form_of(harness, OLU, deployment)
    await harness.approve(GRACE.id, deployment)
    result = await harness.slack.submit_async(OLU.id, form, {"reason": "wait!"})
    assert result.outcome == "updated"
    assert "already approved" in notice(result)
    assert f"<@{GRACE.id}>" in notice(result)
    assert await harness.reported(deployment) == ["Succeeded"]
    assert harness.gate(deployment)["verdict"] == "approved"


async def test_two_forms_make_one_rejection(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    first, second = await form_of(harness, OLU, deployment), await form_of(harness, GRACE, deployment)
    assert (await harness.slack.submit_async(OLU.id, first, {"reason": "one"})).outcome == "closed"
    late = await harness.slack.submit_async(GRACE.id, second, {"reason": "two"})
    assert "already rejected" in notice(late)
    assert harness.gate(deployment)["reason"] == "one"


async def test_a_rejection_without_a_reason_keeps_the_form_open(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    form = await form_of(harness, OLU, deployment)
    assert (await harness.slack.submit_async(OLU.id, form, {"reason": ""})).outcome == "not_sent"
    for empty in ("", "   \n ", "\x00", "\u200b\u202e"):
        result = await harness.slack.submit_async(OLU.id, form, {"reason": empty}, bypass_client_checks=True)
        assert result.outcome == "errors"
        assert "give a reason" in result.errors["reason"]
    assert harness.gate(deployment)["phase"] == "awaiting"
    assert (await harness.slack.submit_async(OLU.id, form, {"reason": "this"})).outcome == "closed"


async def test_two_approvals_need_two_people(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await wait_for_reply(harness, OLU, "1 more approval needed")
        await harness.until(lambda: "1 of 2" in harness.card_text(deployment))
        assert f"<@{OLU.id}>" in harness.card_text(deployment)
        await harness.approve(OLU.id, deployment)
        await wait_for_reply(harness, OLU, "Another approval is still needed")
        assert harness.gate(deployment)["phase"] == "awaiting"
        assert votes(harness, deployment) == [OLU.id]
        await harness.approve(GRACE.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(
            lambda: f"approved by <@{OLU.id}>, <@{GRACE.id}>" in harness.card_text(deployment)
        )


async def test_one_rejection_outweighs_an_approval(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await harness.reject(GRACE.id, deployment, "not today")
        assert await harness.reported(deployment) == ["Failed"]
        assert harness.gate(deployment)["verdict"] == "rejected"


async def test_who_approved_may_still_change_their_mind(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await harness.reject(OLU.id, deployment, "I saw the errors")
        assert await harness.reported(deployment) == ["Failed"]


CROWD = tuple(User(id=f"U1CROWD{n:02}", name=f"crowd{n}", real_name=f"Crowd {n}") for n in range(50))


async def test_fifty_people_at_once_make_one_decision_and_forty_nine_answers(build: Build) -> None:
    async with build(users=CROWD, config=naming(*CROWD)) as harness:
        deployment, _ = await harness.open_gate("order")
        presses = await asyncio.gather(*(harness.approve(user.id, deployment) for user in CROWD))
        assert all(pressed.acked for pressed in presses)
        first = harness.gate(deployment)["decided_by"]
        others = [user for user in CROWD if user.id != first]
        await harness.until(lambda: all(whispers(harness, user) for user in others), timeout=20)
        # On a machine that is too slow for so many presses, some users are asked to press again, as intended.
        harness.clock.advance(seconds=5)
        for user in others:
            if f"<@{first}>" not in harness.ephemerals(user.id):
                await harness.approve(user.id, deployment)
                await wait_for_reply(harness, user, f"<@{first}>")
        assert whispers(harness, next(user for user in CROWD if user.id == first)) == []
        assert await harness.reported(deployment) == ["Succeeded"]
        assert (decisions(harness, deployment), votes(harness, deployment)) == (1, [first])
        assert harness.audit(deployment).count("vote_denied") >= 49


async def test_fifty_people_within_slacks_rates_are_all_answered(build: Build) -> None:
    async with build(users=CROWD, config=naming(*CROWD)) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(CROWD[0].id, deployment)
        harness.slack.rates.turn_on()
        harness.slack.faults.ratelimit("chat.postEphemeral", retry_after=30, times=20)
        others = CROWD[1:30]
        await asyncio.gather(*(harness.approve(user.id, deployment) for user in others))
        await harness.until(lambda: all(whispers(harness, user) for user in others), timeout=20)


async def test_a_replayed_request_makes_one_vote(build: Build) -> None:
    async with build(socket_mode=False, config=TWO_APPROVALS) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        assert [(await harness.slack.replay_async()).status for _ in range(3)] == [200] * 3
        await wait_for_reply(harness, OLU, "Another approval is still needed")
        assert votes(harness, deployment) == [OLU.id]
        assert harness.gate(deployment)["phase"] == "awaiting"
        assert harness.audit(deployment).count("vote_cast") == 1


async def test_a_replayed_decision_decides_nothing_again(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.reject(OLU.id, deployment, "no")
        assert (await harness.slack.replay_async()).status == 200
        assert await harness.reported(deployment) == ["Failed"]
        assert decisions(harness, deployment) == 1


async def test_who_approves_in_the_list_is_answered_that_it_was_recorded(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    assert (await press_in(harness, await deploys(harness), OLU, "approve")).acked
    assert await harness.reported(deployment) == ["Succeeded"]
    await wait_for_reply(harness, OLU, "order approved. Sending to CodeDeploy")


async def test_who_approves_on_the_card_sees_it_there_and_gets_no_reply(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.approve(OLU.id, deployment)
    await harness.until(lambda: "Succeeded" in harness.card_text(deployment))
    assert whispers(harness, OLU) == []


async def test_a_deployment_that_ended_by_itself_is_not_decided_any_more(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.stop_deployment(deployment)
    harness.clock.advance(minutes=1)
    await harness.until(lambda: harness.gate(deployment)["verdict"] == "withdrawn")
    await harness.approve(OLU.id, deployment)
    await wait_for_reply(harness, OLU, "already ended")
    assert harness.aws.answers(deployment) == []


async def test_answers_to_one_person_are_in_that_persons_language(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.approve(JUN.id, deployment)
    await wait_for_reply(harness, JUN, "승인·거절 권한이 없습니다")
    form = await form_of(harness, MINA, deployment)
    view = harness.slack.views.get(form)
    assert view.body["title"]["text"] == "배포 거절"
    assert "approve" in harness.actions(deployment)
    assert ": approve?" in text_of(harness.card(deployment))
