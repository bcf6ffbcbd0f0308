"""One card a gate, whatever becomes of the calls that draw it."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from app.sandbox.cast import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.shapes import Channel, Message
from app.sandbox.stage import Stage
from tests.house import House
from tests.logs import listening
from tests.slack.play import TWO_APPROVALS, Build, deploys, is_told, opened, press_in

POST, UPDATE, SEARCH = "chat.postMessage", "chat.update", "conversations.history"


@pytest.fixture
async def blind(build: Build) -> AsyncIterator[House]:
    """A house that may not read its channels."""
    async with build(before=without_search) as house:
        yield house


def without_search(stage: Stage) -> None:
    stage.slack.credentials.scopes -= {"channels:history", "groups:history"}


def card_row(house: House, deployment: str) -> dict[str, object]:
    return house.rows("SELECT * FROM cards WHERE gate_id = %s", house.gate(deployment)["id"])[0]


def cards_of(house: House, deployment: str) -> list[Message]:
    gate = str(house.gate(deployment)["id"])
    return [card for card in house.cards() if (card.metadata or {}).get("event_payload") == {"gate": gate}]


async def approve_from_the_list(house: House, deployment: str, user: str = OLU.id) -> None:
    """Decides without a card."""
    listed = await deploys(house)
    gate = house.gate(deployment)["id"]
    pressed = await house.slack.press_async(
        user if listed.only_for is None else OLU.id,
        listed.channel,
        listed.ts,
        "approve",
        block_id=f"decide.{gate}",
    )
    assert pressed.acked


async def test_a_post_whose_answer_was_lost_stands_once(house: House) -> None:
    house.slack.faults.lose_answer(POST)
    deployment, card = await house.ask("order")
    await house.until(lambda: card_row(house, deployment)["ts"] == card.ts)
    await house.approve(MINA.id, deployment)
    await house.until(lambda: "Approved" in house.says(deployment))
    assert [each.ts for each in cards_of(house, deployment)] == [card.ts]


async def test_a_search_that_fails_is_no_proof_that_nothing_stands(house: House) -> None:
    house.slack.faults.lose_answer(POST)
    house.slack.faults.ratelimit(SEARCH, retry_after=1)
    house.slack.faults.error(SEARCH, "internal_error")
    deployment, card = await house.ask("order")
    await house.until(lambda: house.slack.calls(SEARCH))
    house.clock.advance(seconds=2)
    await house.until(lambda: card_row(house, deployment)["ts"] == card.ts)
    assert len(cards_of(house, deployment)) == 1


async def test_a_card_that_was_found_and_could_not_be_edited_is_not_forgotten(house: House) -> None:
    house.slack.faults.lose_answer(POST)
    house.slack.faults.ratelimit(UPDATE, retry_after=1)
    deployment, card = await house.ask("order")
    await house.until(lambda: house.slack.calls(UPDATE))
    house.clock.advance(seconds=2)
    await house.until(lambda: card_row(house, deployment)["ts"] == card.ts)
    assert len(cards_of(house, deployment)) == 1


async def test_a_post_that_never_arrived_is_posted(house: House) -> None:
    house.slack.faults.reset(POST)
    deployment, _ = await house.ask("order")
    assert len(cards_of(house, deployment)) == 1


async def test_without_the_scope_to_look_a_lost_answer_makes_no_second_card(blind: House) -> None:
    blind.slack.faults.lose_answer(POST)
    deployment, card = await blind.ask("order")
    await blind.until(lambda: blind.slack.calls(SEARCH))
    assert card_row(blind, deployment)["ts"] is None
    await blind.approve(OLU.id, deployment)
    await blind.until(lambda: "Approved" in blind.says(deployment))
    assert card_row(blind, deployment)["ts"] == card.ts
    assert [each.ts for each in cards_of(blind, deployment)] == [card.ts]
    assert len([call for call in blind.slack.calls(POST) if "thread_ts" not in call.params]) == 1


async def test_without_the_scope_to_look_a_card_that_nobody_saw_is_posted_after_a_while(blind: House) -> None:
    blind.slack.faults.reset(POST)
    deployment = await opened(blind, "order")
    await blind.until(lambda: blind.slack.calls(SEARCH))
    blind.clock.advance(minutes=2)
    await blind.until(lambda: "approve" in blind.actions(deployment))
    assert len(cards_of(blind, deployment)) == 1


async def test_a_second_card_after_all_is_taken_away_when_the_lost_one_is_pressed(blind: House) -> None:
    blind.slack.faults.lose_answer(POST)
    deployment, lost = await blind.ask("order")
    await blind.until(lambda: blind.slack.calls(SEARCH))
    blind.clock.advance(minutes=2)
    await blind.until(lambda: card_row(blind, deployment)["ts"] not in {None, lost.ts})
    await blind.slack.press_async(OLU.id, lost.channel, lost.ts, "approve")
    await blind.until(lambda: len(cards_of(blind, deployment)) == 1)
    await blind.until(lambda: "Approved" in blind.says(deployment))
    assert cards_of(blind, deployment)[0].ts != lost.ts


async def test_a_second_card_on_its_way_is_taken_away_when_the_lost_one_is_pressed_meanwhile(
    blind: House,
) -> None:
    blind.slack.faults.lose_answer(POST)
    deployment, lost = await blind.ask("order")
    await blind.until(lambda: blind.slack.calls(SEARCH))
    first_try = card_row(blind, deployment)["posting_since"]
    blind.slack.faults.slow(POST, 5, times=1)
    blind.clock.advance(minutes=2)
    await blind.until(lambda: card_row(blind, deployment)["posting_since"] != first_try)
    await blind.slack.press_async(OLU.id, lost.channel, lost.ts, "approve")
    await blind.until(lambda: blind.slack.calls("chat.delete"))
    assert [each.ts for each in cards_of(blind, deployment)] == [lost.ts]
    await blind.until(lambda: "Approved" in blind.slack.traffic())
    assert card_row(blind, deployment)["ts"] == lost.ts


async def test_retry_after_is_kept_for_a_post_whatever_else_is_due(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        house.slack.faults.ratelimit(POST, retry_after=40)
        deployment = await opened(house, "order")
        await house.until(lambda: card_row(house, deployment)["last_error"] == "ratelimited")
        house.clock.advance(seconds=20)
        await approve_from_the_list(house, deployment)  # the card is due at once, and still not sent
        await house.until(lambda: is_put_back(house, deployment))
        assert [call.outcome for call in house.slack.calls(POST)] == ["ratelimited"]
        house.clock.advance(seconds=21)
        await house.until(lambda: "1 of 2" in house.says(deployment))


async def test_retry_after_is_kept_for_an_edit_whatever_else_is_due(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        deployment, _ = await house.ask("order")
        await house.until(lambda: card_row(house, deployment)["due_at"] is None)
        before = len(house.slack.calls(UPDATE))
        house.slack.faults.ratelimit(UPDATE, retry_after=40)
        await house.approve(OLU.id, deployment)
        await house.until(lambda: card_row(house, deployment)["last_error"] == "ratelimited")
        house.clock.advance(seconds=20)
        await house.approve(GRACE.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        await house.until(lambda: is_put_back(house, deployment))
        assert [call.outcome for call in house.slack.calls(UPDATE)[before:]] == ["ratelimited"]
        house.clock.advance(seconds=21)
        await house.until(lambda: "Succeeded" in house.says(deployment))


def is_put_back(house: House, deployment: str) -> bool:
    """Whether the card was tried and put back until Slack may be asked again."""
    due = card_row(house, deployment)["due_at"]
    assert due is None or isinstance(due, datetime)
    return due is not None and due - house.clock() > timedelta(seconds=10)


async def test_eight_domains_at_once_all_get_their_cards_within_slacks_rates(house: House) -> None:
    house.slack.rates.turn_on()
    names = ("auth", "user", "order", "hub", "delivery", "notification", "promotion", "payment")
    deployments = [await opened(house, name) for name in names]
    await house.until(lambda: all("approve" in house.actions(each) for each in deployments), timeout=20)
    assert len(house.cards()) == len(names)


async def test_a_gate_is_decided_from_the_list_while_no_card_can_be_posted(house: House) -> None:
    house.slack.faults.error(POST, "internal_error", times=None)
    house.slack.faults.error(SEARCH, "internal_error", times=None)
    deployment = await opened(house, "order")
    assert "no card in Slack yet" in str((await deploys(house)).blocks)
    await approve_from_the_list(house, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    house.slack.faults.clear()
    house.clock.advance(minutes=1)
    await house.until(lambda: "Approved" in house.says(deployment) and "Succeeded" in house.says(deployment))
    assert len(cards_of(house, deployment)) == 1


async def test_who_was_known_before_an_outage_decides_in_it_and_the_card_catches_up(house: House) -> None:
    deployment, _ = await house.ask("order")
    await deploys(house, OLU)
    with house.slack.faults.away():
        assert (await house.approve(OLU.id, deployment)).acked
        assert await house.told(deployment) == ["Succeeded"]
        assert "approve" in house.actions(deployment)
    house.clock.advance(minutes=1)
    await house.until(lambda: "Succeeded" in house.says(deployment))
    assert house.actions(deployment) & {"approve", "reject"} == set()
    assert len(cards_of(house, deployment)) == 1


async def test_a_card_that_somebody_deleted_is_posted_again(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        deployment, card = await house.ask("order")
        house.slack.messages.delete(card.channel, card.ts)
        await approve_from_the_list(house, deployment)
        await house.until(lambda: "1 of 2" in house.says(deployment))
        assert "approve" in house.actions(deployment)
        assert house.card(deployment).ts != card.ts


async def test_a_card_that_shows_the_wrong_thing_is_drawn_again_after_a_press(house: House) -> None:
    deployment, before = await house.ask("order")
    await house.approve(MINA.id, deployment)
    await house.until(lambda: "Succeeded" in house.says(deployment))
    await house.until(lambda: card_row(house, deployment)["due_at"] is None)
    house.slack.messages.edit(before.channel, before.ts, before.shown)
    assert "approve" in house.actions(deployment)
    await house.approve(OLU.id, deployment)
    await is_told(house, OLU, "already approved")
    await house.until(lambda: house.actions(deployment) & {"approve", "reject"} == set())
    assert "Succeeded" in house.says(deployment)


async def test_a_channel_that_we_are_not_in_gets_its_card_once_we_are(house: House) -> None:
    house.slack.people.alter(CHANNEL.id, is_member=False)
    deployment = await opened(house, "order")
    await house.until(lambda: card_row(house, deployment)["last_error"] == "not_in_channel")
    house.slack.people.alter(CHANNEL.id, is_member=True)
    house.clock.advance(seconds=40)
    await house.until(lambda: "approve" in house.actions(deployment))


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_card_moves_with_its_domains_channel(build: Build, reachable: bool) -> None:
    async with build(config=TWO_APPROVALS) as house:
        other = Channel(id="C02ORDER", name="order")
        house.slack.people.add(other)
        deployment, card = await house.ask("order")
        moved = config_text(order=f'approvals = 2\nchannel = "{other.id}"\n')
        house.stage.config_file.write_text(moved, encoding="utf-8")
        house.service.reload(house.stage.config_file)
        await house.approve(OLU.id, deployment)
        if not reachable:
            house.slack.people.alter(CHANNEL.id, is_archived=True)
        await house.until(lambda: house.slack.messages.in_channel(other.id))
        if reachable:
            await house.until(lambda: house.slack.messages.find(card.channel, card.ts) is None)
        new = house.slack.messages.in_channel(other.id)[0]
        assert (await press_in(house, new, GRACE, "approve")).acked
        assert await house.told(deployment) == ["Succeeded"]


async def test_a_card_that_slack_does_not_take_away_holds_up_no_other(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        other = Channel(id="C02ORDER", name="order")
        house.slack.people.add(other)
        deployment, _ = await house.ask("order")
        house.slack.faults.error("chat.delete", "unknown_method", times=None)
        moved = config_text(order=f'approvals = 2\nchannel = "{other.id}"\n')
        house.stage.config_file.write_text(moved, encoding="utf-8")
        house.service.reload(house.stage.config_file)
        await house.approve(OLU.id, deployment)
        await house.until(lambda: house.slack.messages.in_channel(other.id))


async def test_a_card_that_slack_refuses_is_in_the_log(house: House) -> None:
    house.slack.faults.error(POST, "channel_not_found", times=None)
    with listening() as log:
        deployment = await opened(house, "order")
        await house.until(lambda: "card_not_drawn" in log.getvalue())
        line = next(json.loads(line) for line in log.getvalue().splitlines() if "card_not_drawn" in line)
    assert (line["level"], line["problem"]) == ("warning", "channel_not_found")
    assert line["gate"] == str(house.gate(deployment)["id"])


async def test_a_card_that_nobody_waits_for_any_more_is_not_tried_for_ever(house: House) -> None:
    house.slack.faults.error(POST, "channel_not_found", times=None)
    deployment = await opened(house, "order")
    await approve_from_the_list(house, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    await house.until(lambda: card_row(house, deployment)["last_error"])
    house.clock.advance(days=1, hours=1)
    await house.until(lambda: card_row(house, deployment)["due_at"] is None, timeout=15)


async def test_the_cards_text_is_a_sentence_for_notifications_and_screen_readers(house: House) -> None:
    deployment, card = await house.ask("order")
    assert card.text == (
        f"order asks to switch production traffic to green ({deployment}). Approve or reject."
    )
    await house.approve(JUN.id, deployment)
    await house.reject(OLU.id, deployment, "not today")
    await house.until(
        lambda: house.card(deployment).text.startswith("order: the switch to green was rejected")
    )
