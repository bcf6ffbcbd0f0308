"""One card a gate, whatever becomes of the calls that draw it."""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from app.sandbox.fakes import Fakes
from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.state.shapes import Channel, Message
from tests.harness import Harness
from tests.logs import captured_logs
from tests.slack.play import TWO_APPROVALS, Build, deploys, opened, press_in, wait_for_reply

POST, UPDATE, SEARCH = "chat.postMessage", "chat.update", "conversations.history"


@pytest.fixture
async def blind(build: Build) -> AsyncIterator[Harness]:
    """A harness that may not read its channels."""
    async with build(before=without_search) as harness:
        yield harness


def without_search(fakes: Fakes) -> None:
    fakes.slack.credentials.scopes -= {"channels:history", "groups:history"}


def card_row(harness: Harness, deployment: str) -> dict[str, object]:
    return harness.rows("SELECT * FROM cards WHERE gate_id = %s", harness.gate(deployment)["id"])[0]


def cards_of(harness: Harness, deployment: str) -> list[Message]:
    gate = str(harness.gate(deployment)["id"])
    return [card for card in harness.cards() if (card.metadata or {}).get("event_payload") == {"gate": gate}]


async def approve_from_the_list(harness: Harness, deployment: str, user: str = OLU.id) -> None:
    """Decides without a card."""
    listed = await deploys(harness)
    gate = harness.gate(deployment)["id"]
    pressed = await harness.slack.press_async(
        user if listed.only_for is None else OLU.id,
        listed.channel,
        listed.ts,
        "approve",
        block_id=f"decide.{gate}",
    )
    assert pressed.acked


async def test_a_post_whose_answer_was_lost_is_there_once(harness: Harness) -> None:
    harness.slack.faults.lose_answer(POST)
    deployment, card = await harness.open_gate("order")
    await harness.until(lambda: card_row(harness, deployment)["ts"] == card.ts)
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: "approved by" in harness.card_text(deployment))
    assert [each.ts for each in cards_of(harness, deployment)] == [card.ts]


async def test_a_search_that_fails_is_no_proof_that_nothing_was_posted(harness: Harness) -> None:
    harness.slack.faults.lose_answer(POST)
    harness.slack.faults.ratelimit(SEARCH, retry_after=1)
    harness.slack.faults.error(SEARCH, "internal_error")
    deployment, card = await harness.open_gate("order")
    await harness.until(lambda: harness.slack.calls(SEARCH))
    harness.clock.advance(seconds=2)
    await harness.until(lambda: card_row(harness, deployment)["ts"] == card.ts)
    assert len(cards_of(harness, deployment)) == 1


async def test_a_card_that_was_found_and_could_not_be_edited_is_not_forgotten(harness: Harness) -> None:
    harness.slack.faults.lose_answer(POST)
    harness.slack.faults.ratelimit(UPDATE, retry_after=1)
    deployment, card = await harness.open_gate("order")
    await harness.until(lambda: harness.slack.calls(UPDATE))
    harness.clock.advance(seconds=2)
    await harness.until(lambda: card_row(harness, deployment)["ts"] == card.ts)
    assert len(cards_of(harness, deployment)) == 1


async def test_a_post_that_never_arrived_is_posted(harness: Harness) -> None:
    harness.slack.faults.reset(POST)
    deployment, _ = await harness.open_gate("order")
    assert len(cards_of(harness, deployment)) == 1


async def test_without_the_scope_to_look_a_lost_answer_makes_no_second_card(blind: Harness) -> None:
    blind.slack.faults.lose_answer(POST)
    deployment, card = await blind.open_gate("order")
    await blind.until(lambda: blind.slack.calls(SEARCH))
    assert card_row(blind, deployment)["ts"] is None
    await blind.approve(OLU.id, deployment)
    await blind.until(lambda: "approved by" in blind.card_text(deployment))
    assert card_row(blind, deployment)["ts"] == card.ts
    assert [each.ts for each in cards_of(blind, deployment)] == [card.ts]
    assert len([call for call in blind.slack.calls(POST) if "thread_ts" not in call.params]) == 1


async def test_without_the_scope_to_look_a_card_that_nobody_saw_is_posted_after_a_while(
    blind: Harness,
) -> None:
    blind.slack.faults.reset(POST)
    deployment = await opened(blind, "order")
    await blind.until(lambda: blind.slack.calls(SEARCH))
    blind.clock.advance(minutes=2)
    await blind.until(lambda: "approve" in blind.actions(deployment))
    assert len(cards_of(blind, deployment)) == 1


async def test_a_second_card_after_all_is_taken_away_when_the_lost_one_is_pressed(blind: Harness) -> None:
    blind.slack.faults.lose_answer(POST)
    deployment, lost = await blind.open_gate("order")
    await blind.until(lambda: blind.slack.calls(SEARCH))
    blind.clock.advance(minutes=2)
    await blind.until(lambda: card_row(blind, deployment)["ts"] not in {None, lost.ts})
    await blind.slack.press_async(OLU.id, lost.channel, lost.ts, "approve")
    await blind.until(lambda: len(cards_of(blind, deployment)) == 1)
    await blind.until(lambda: "approved by" in blind.card_text(deployment))
    assert cards_of(blind, deployment)[0].ts != lost.ts


async def test_a_second_card_on_its_way_is_taken_away_when_the_lost_one_is_pressed_meanwhile(
    blind: Harness,
) -> None:
    blind.slack.faults.lose_answer(POST)
    deployment, lost = await blind.open_gate("order")
    await blind.until(lambda: blind.slack.calls(SEARCH))
    first_try = card_row(blind, deployment)["posting_since"]
    blind.slack.faults.slow(POST, 5, times=1)
    blind.clock.advance(minutes=2)
    await blind.until(lambda: card_row(blind, deployment)["posting_since"] != first_try)
    await blind.slack.press_async(OLU.id, lost.channel, lost.ts, "approve")
    await blind.until(lambda: blind.slack.calls("chat.delete"))
    assert [each.ts for each in cards_of(blind, deployment)] == [lost.ts]
    await blind.until(lambda: "approved by" in blind.slack.traffic())
    assert card_row(blind, deployment)["ts"] == lost.ts


async def test_retry_after_is_kept_for_a_post_whatever_else_is_due(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        harness.slack.faults.ratelimit(POST, retry_after=40)
        deployment = await opened(harness, "order")
        await harness.until(lambda: card_row(harness, deployment)["last_error"] == "ratelimited")
        harness.clock.advance(seconds=20)
        await approve_from_the_list(harness, deployment)  # the card is due at once, and still not sent
        await harness.until(lambda: is_put_back(harness, deployment))
        assert [call.outcome for call in harness.slack.calls(POST)] == ["ratelimited"]
        harness.clock.advance(seconds=21)
        await harness.until(lambda: "1 of 2" in harness.card_text(deployment))


async def test_retry_after_is_kept_for_an_edit_whatever_else_is_due(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.until(lambda: card_row(harness, deployment)["due_at"] is None)
        before = len(harness.slack.calls(UPDATE))
        harness.slack.faults.ratelimit(UPDATE, retry_after=40)
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: card_row(harness, deployment)["last_error"] == "ratelimited")
        harness.clock.advance(seconds=20)
        await harness.approve(GRACE.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: is_put_back(harness, deployment))
        assert [call.outcome for call in harness.slack.calls(UPDATE)[before:]] == ["ratelimited"]
        harness.clock.advance(seconds=21)
        await harness.until(lambda: "Succeeded" in harness.card_text(deployment))


def is_put_back(harness: Harness, deployment: str) -> bool:
    """Whether the card was tried and put back until Slack may be asked again."""
    due = card_row(harness, deployment)["due_at"]
    assert due is None or isinstance(due, datetime)
    return due is not None and due - harness.clock() > timedelta(seconds=10)


async def test_eight_domains_at_once_all_get_their_cards_within_slacks_rates(harness: Harness) -> None:
    harness.slack.rates.turn_on()
    names = ("auth", "user", "order", "hub", "delivery", "notification", "promotion", "payment")
    deployments = [await opened(harness, name) for name in names]
    await harness.until(lambda: all("approve" in harness.actions(each) for each in deployments), timeout=20)
    assert len(harness.cards()) == len(names)


async def test_a_gate_is_decided_from_the_list_while_no_card_can_be_posted(harness: Harness) -> None:
    harness.slack.faults.error(POST, "internal_error", times=None)
    harness.slack.faults.error(SEARCH, "internal_error", times=None)
    deployment = await opened(harness, "order")
    assert "no card posted yet" in str((await deploys(harness)).blocks)
    await approve_from_the_list(harness, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.slack.faults.clear()
    harness.clock.advance(minutes=1)
    await harness.until(
        lambda: (
            "approved by" in harness.card_text(deployment) and "Succeeded" in harness.card_text(deployment)
        )
    )
    assert len(cards_of(harness, deployment)) == 1


async def test_who_was_known_before_an_outage_decides_in_it_and_the_card_catches_up(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await deploys(harness, OLU)
    with harness.slack.faults.away():
        assert (await harness.approve(OLU.id, deployment)).acked
        assert await harness.reported(deployment) == ["Succeeded"]
        assert "approve" in harness.actions(deployment)
    harness.clock.advance(minutes=1)
    await harness.until(lambda: "Succeeded" in harness.card_text(deployment))
    assert harness.actions(deployment) & {"approve", "reject"} == set()
    assert len(cards_of(harness, deployment)) == 1


async def test_a_card_that_somebody_deleted_is_posted_again(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        deployment, card = await harness.open_gate("order")
        harness.slack.messages.delete(card.channel, card.ts)
        await approve_from_the_list(harness, deployment)
        await harness.until(lambda: "1 of 2" in harness.card_text(deployment))
        assert "approve" in harness.actions(deployment)
        assert harness.card(deployment).ts != card.ts


async def test_a_card_that_shows_the_wrong_thing_is_drawn_again_after_a_press(harness: Harness) -> None:
    deployment, before = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: "Succeeded" in harness.card_text(deployment))
    await harness.until(lambda: card_row(harness, deployment)["due_at"] is None)
    harness.slack.messages.edit(before.channel, before.ts, before.shown)
    assert "approve" in harness.actions(deployment)
    await harness.approve(OLU.id, deployment)
    await wait_for_reply(harness, OLU, "already approved")
    await harness.until(lambda: harness.actions(deployment) & {"approve", "reject"} == set())
    assert "Succeeded" in harness.card_text(deployment)


async def test_a_channel_that_we_are_not_in_gets_its_card_once_we_are(harness: Harness) -> None:
    harness.slack.people.alter(CHANNEL.id, is_member=False)
    deployment = await opened(harness, "order")
    await harness.until(lambda: card_row(harness, deployment)["last_error"] == "not_in_channel")
    harness.slack.people.alter(CHANNEL.id, is_member=True)
    harness.clock.advance(seconds=40)
    await harness.until(lambda: "approve" in harness.actions(deployment))


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_card_moves_with_its_domains_channel(build: Build, reachable: bool) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        other = Channel(id="C02ORDER", name="order")
        harness.slack.people.add(other)
        deployment, card = await harness.open_gate("order")
        moved = config_text(order=f'approvals = 2\nchannel = "{other.id}"\n')
        harness.fakes.config_file.write_text(moved, encoding="utf-8")
        harness.reload_config()
        await harness.approve(OLU.id, deployment)
        if not reachable:
            harness.slack.people.alter(CHANNEL.id, is_archived=True)
        await harness.until(lambda: harness.slack.messages.in_channel(other.id))
        if reachable:
            await harness.until(lambda: harness.slack.messages.find(card.channel, card.ts) is None)
        new = harness.slack.messages.in_channel(other.id)[0]
        assert (await press_in(harness, new, GRACE, "approve")).acked
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_card_that_slack_does_not_take_away_holds_up_no_other(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        other = Channel(id="C02ORDER", name="order")
        harness.slack.people.add(other)
        deployment, _ = await harness.open_gate("order")
        harness.slack.faults.error("chat.delete", "unknown_method", times=None)
        moved = config_text(order=f'approvals = 2\nchannel = "{other.id}"\n')
        harness.fakes.config_file.write_text(moved, encoding="utf-8")
        harness.reload_config()
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: harness.slack.messages.in_channel(other.id))


async def test_a_card_that_slack_refuses_is_in_the_log(harness: Harness) -> None:
    harness.slack.faults.error(POST, "channel_not_found", times=None)
    with captured_logs() as log:
        deployment = await opened(harness, "order")
        await harness.until(lambda: "card_not_published" in log.getvalue())
        line = next(json.loads(line) for line in log.getvalue().splitlines() if "card_not_published" in line)
    assert (line["level"], line["problem"]) == ("warning", "channel_not_found")
    assert line["gate"] == str(harness.gate(deployment)["id"])


async def test_a_card_that_nobody_waits_for_any_more_is_not_tried_for_ever(harness: Harness) -> None:
    harness.slack.faults.error(POST, "channel_not_found", times=None)
    deployment = await opened(harness, "order")
    await approve_from_the_list(harness, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    await harness.until(lambda: card_row(harness, deployment)["last_error"])
    harness.clock.advance(days=1, hours=1)
    await harness.until(lambda: card_row(harness, deployment)["due_at"] is None, timeout=15)


async def test_the_cards_text_is_a_sentence_for_notifications_and_screen_readers(harness: Harness) -> None:
    deployment, card = await harness.open_gate("order")
    assert re.fullmatch(r"order( 1\.41\.0 → 1\.42\.0)?: approve\? Expires at <!date\^.+>\.", card.text)
    await harness.approve(JUN.id, deployment)
    await harness.reject(OLU.id, deployment, "not today")
    await harness.until(lambda: harness.card(deployment).text.endswith(": rejected."))
