"""The order of presses: the first decides, and everybody after is told who that was."""

import asyncio

from app.sandbox.cast import GRACE, JUN, MINA, OLU
from app.sandbox.slack.answers import SubmitResult
from app.sandbox.slack.shapes import User
from tests.house import House, text_of
from tests.slack.play import (
    TWO_APPROVALS,
    Build,
    decisions,
    deploys,
    is_told,
    naming,
    press_in,
    votes,
    whispers,
)


async def form_of(house: House, user: User, deployment: str) -> str:
    """Presses Reject; gives the id of the form that opens."""
    await house.press(user.id, deployment, "reject")
    await house.until(lambda: house.slack.views.top(user.id))
    form = house.slack.views.top(user.id)
    assert form is not None
    return form.id


def notice(result: SubmitResult) -> str:
    """What the form turned into."""
    assert result.view is not None
    return str(result.view.body["blocks"])


async def test_a_press_after_the_deadline_is_told_that_it_was_too_late(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.clock.advance(minutes=56)
    await house.approve(OLU.id, deployment)
    await is_told(house, OLU, "The deadline of order")
    assert await house.told(deployment) == ["Failed"]
    assert house.gate(deployment)["verdict"] == "expired"
    await house.until(lambda: "Nobody decided" in house.says(deployment))


async def test_a_form_submitted_after_the_deadline_says_so_and_rejects_nothing(house: House) -> None:
    deployment, _ = await house.ask("order")
    form = await form_of(house, OLU, deployment)
    house.clock.advance(minutes=56)
    result = await house.slack.submit_async(OLU.id, form, {"reason": "too slow"})
    assert result.outcome == "updated"
    assert "The deadline of order" in notice(result)
    await house.told(deployment)
    assert house.gate(deployment)["verdict"] == "expired"
    assert house.gate(deployment)["reason"] is None


async def test_the_second_press_learns_who_was_first(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.approve(GRACE.id, deployment)
    assert (await house.approve(OLU.id, deployment)).acked
    await is_told(house, OLU, "already approved", f"<@{GRACE.id}>", "<!date^")
    assert (await house.press(MINA.id, deployment, "reject")).acked
    await is_told(house, MINA, "이미 승인", f"<@{GRACE.id}>")
    assert house.slack.views.top(MINA.id) is None
    assert decisions(house, deployment) == 1


async def test_a_form_submitted_after_the_decision_learns_who_was_first(house: House) -> None:
    deployment, _ = await house.ask("order")
    form = await form_of(house, OLU, deployment)
    await house.approve(GRACE.id, deployment)
    result = await house.slack.submit_async(OLU.id, form, {"reason": "wait!"})
    assert result.outcome == "updated"
    assert "already approved" in notice(result)
    assert f"<@{GRACE.id}>" in notice(result)
    assert await house.told(deployment) == ["Succeeded"]
    assert house.gate(deployment)["verdict"] == "approved"


async def test_two_forms_make_one_rejection(house: House) -> None:
    deployment, _ = await house.ask("order")
    first, second = await form_of(house, OLU, deployment), await form_of(house, GRACE, deployment)
    assert (await house.slack.submit_async(OLU.id, first, {"reason": "one"})).outcome == "closed"
    late = await house.slack.submit_async(GRACE.id, second, {"reason": "two"})
    assert "already rejected" in notice(late)
    assert house.gate(deployment)["reason"] == "one"


async def test_a_rejection_without_a_reason_keeps_the_form_open(house: House) -> None:
    deployment, _ = await house.ask("order")
    form = await form_of(house, OLU, deployment)
    assert (await house.slack.submit_async(OLU.id, form, {"reason": ""})).outcome == "not_sent"
    for empty in ("", "   \n ", "\x00", "\u200b\u202e"):
        result = await house.slack.submit_async(OLU.id, form, {"reason": empty}, past_the_client=True)
        assert result.outcome == "errors"
        assert "say why" in result.errors["reason"]
    assert house.gate(deployment)["phase"] == "awaiting"
    assert (await house.slack.submit_async(OLU.id, form, {"reason": "this"})).outcome == "closed"


async def test_two_approvals_need_two_people(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        deployment, _ = await house.ask("order")
        await house.approve(OLU.id, deployment)
        await is_told(house, OLU, "1 more person has to approve")
        await house.until(lambda: "1 of 2" in house.says(deployment))
        assert f"<@{OLU.id}>" in house.says(deployment)
        await house.approve(OLU.id, deployment)
        await is_told(house, OLU, "already recorded; another person")
        assert house.gate(deployment)["phase"] == "awaiting"
        assert votes(house, deployment) == [OLU.id]
        await house.approve(GRACE.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        await house.until(lambda: f"*Approved* by <@{OLU.id}>, <@{GRACE.id}>" in house.says(deployment))


async def test_one_rejection_outweighs_an_approval(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        deployment, _ = await house.ask("order")
        await house.approve(OLU.id, deployment)
        await house.reject(GRACE.id, deployment, "not today")
        assert await house.told(deployment) == ["Failed"]
        assert house.gate(deployment)["verdict"] == "rejected"


async def test_who_approved_may_still_change_their_mind(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        deployment, _ = await house.ask("order")
        await house.approve(OLU.id, deployment)
        await house.reject(OLU.id, deployment, "I saw the errors")
        assert await house.told(deployment) == ["Failed"]


CROWD = tuple(User(id=f"U1CROWD{n:02}", name=f"crowd{n}", real_name=f"Crowd {n}") for n in range(50))


async def test_fifty_people_at_once_make_one_decision_and_forty_nine_answers(build: Build) -> None:
    async with build(users=CROWD, config=naming(*CROWD)) as house:
        deployment, _ = await house.ask("order")
        presses = await asyncio.gather(*(house.approve(user.id, deployment) for user in CROWD))
        assert all(pressed.acked for pressed in presses)
        first = house.gate(deployment)["decided_by"]
        others = [user for user in CROWD if user.id != first]
        await house.until(lambda: all(whispers(house, user) for user in others), timeout=20)
        # On a machine that is too slow for the crowd, some are asked to press again, as they should be.
        house.clock.advance(seconds=5)
        for user in others:
            if f"<@{first}>" not in house.whispered(user.id):
                await house.approve(user.id, deployment)
                await is_told(house, user, f"<@{first}>")
        assert whispers(house, next(user for user in CROWD if user.id == first)) == []
        assert await house.told(deployment) == ["Succeeded"]
        assert (decisions(house, deployment), votes(house, deployment)) == (1, [first])
        assert house.audit(deployment).count("press_refused") >= 49


async def test_fifty_people_within_slacks_rates_are_all_answered(build: Build) -> None:
    async with build(users=CROWD, config=naming(*CROWD)) as house:
        deployment, _ = await house.ask("order")
        await house.approve(CROWD[0].id, deployment)
        house.slack.rates.turn_on()
        house.slack.faults.ratelimit("chat.postEphemeral", retry_after=30, times=20)
        others = CROWD[1:30]
        await asyncio.gather(*(house.approve(user.id, deployment) for user in others))
        await house.until(lambda: all(whispers(house, user) for user in others), timeout=20)


async def test_a_replayed_request_makes_one_vote(build: Build) -> None:
    async with build(socket_mode=False, config=TWO_APPROVALS) as house:
        deployment, _ = await house.ask("order")
        await house.approve(OLU.id, deployment)
        assert [(await house.slack.replay_async()).status for _ in range(3)] == [200] * 3
        await is_told(house, OLU, "already recorded; another person")
        assert votes(house, deployment) == [OLU.id]
        assert house.gate(deployment)["phase"] == "awaiting"
        assert house.audit(deployment).count("vote_cast") == 1


async def test_a_replayed_decision_decides_nothing_again(build: Build) -> None:
    async with build(socket_mode=False) as house:
        deployment, _ = await house.ask("order")
        await house.reject(OLU.id, deployment, "no")
        assert (await house.slack.replay_async()).status == 200
        assert await house.told(deployment) == ["Failed"]
        assert decisions(house, deployment) == 1


async def test_who_approves_in_the_list_hears_that_it_was_recorded(house: House) -> None:
    deployment, _ = await house.ask("order")
    assert (await press_in(house, await deploys(house), OLU, "approve")).acked
    assert await house.told(deployment) == ["Succeeded"]
    await is_told(house, OLU, "Your approval of order is recorded")


async def test_who_approves_on_the_card_sees_it_there_and_hears_nothing(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.approve(OLU.id, deployment)
    await house.until(lambda: "Succeeded" in house.says(deployment))
    assert whispers(house, OLU) == []


async def test_a_deployment_that_ended_by_itself_is_not_decided_any_more(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.stop_deployment(deployment)
    house.clock.advance(minutes=1)
    await house.until(lambda: house.gate(deployment)["verdict"] == "withdrawn")
    await house.approve(OLU.id, deployment)
    await is_told(house, OLU, "ended by itself")
    assert house.aws.answers(deployment) == []


async def test_answers_to_one_person_are_in_that_persons_language(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.approve(JUN.id, deployment)
    await is_told(house, JUN, "세지 않습니다")
    form = await form_of(house, MINA, deployment)
    view = house.slack.views.get(form)
    assert view.body["title"]["text"] == "전환 거절"
    assert "approve" in house.actions(deployment)
    assert "switch production traffic to green?" in text_of(house.card(deployment))
