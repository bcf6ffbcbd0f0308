"""What is posted stands once, is redrawn seldom, and comes back when somebody deletes it."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from app.bootstrap import Service
from app.config.environment import Settings
from app.config.loader import load_config
from app.sandbox.cast import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.calls import Call
from app.sandbox.slack.shapes import Channel, Message
from tests.house import House, serving, text_of
from tests.journeys.test_timeline import told
from tests.slack.play import STRANGER, TWO_APPROVALS, Build, deploys, heard, naming, whispers

POST, UPDATE, REPLIES = "chat.postMessage", "chat.update", "conversations.replies"
WHISPER = "chat.postEphemeral"
ORDER = Channel(id="C02ORDER", name="order")


def updates(house: House, card: Message) -> list[Call]:
    return [call for call in house.slack.calls(UPDATE) if call.params["ts"] == card.ts]


def has_whispered_more(house: House, before: int) -> bool:
    return len(house.slack.calls(WHISPER)) > before


async def quiet(house: House) -> None:
    """Waits until no card and no thread is due."""
    await house.until(lambda: not any(row["due_at"] for row in house.table("cards") + house.table("threads")))


async def test_a_card_that_somebody_deleted_comes_back_within_a_minute(house: House) -> None:
    deployment, card = await house.ask("order")
    await quiet(house)
    house.slack.messages.delete(card.channel, card.ts)

    house.clock.advance(seconds=50)

    await house.until(lambda: "approve" in house.actions(deployment), 10)
    assert house.card(deployment).ts != card.ts


async def test_a_deleted_card_with_the_only_undo_comes_back_within_a_minute(house: House) -> None:
    deployment, card = await house.ask("order")
    await house.approve(OLU.id, deployment)
    await house.told(deployment)
    await house.until(lambda: "undo" in house.actions(deployment))
    await quiet(house)
    house.slack.messages.delete(card.channel, card.ts)

    house.clock.advance(seconds=50)

    await house.until(lambda: "undo" in house.actions(deployment), 10)
    assert house.card(deployment).ts != card.ts


async def test_a_card_is_redrawn_at_most_once_in_two_seconds(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        deployment, card = await house.ask("order")
        await quiet(house)
        for _ in range(8):
            await house.approve(OLU.id, deployment)
            answered = len(house.slack.calls(WHISPER))
            await house.press(OLU.id, deployment, "approve")
            await house.until(partial(has_whispered_more, house, answered))
        await quiet(house)
        times = [call.when for call in updates(house, card)]
        assert all(
            (later - sooner).total_seconds() > 1.5 for sooner, later in zip(times, times[1:], strict=False)
        )


async def test_what_follows_a_lost_line_does_not_hide_it(house: House) -> None:
    """The search failed, and more happened meanwhile: the line that was tried is looked for as it was tried."""
    deployment, _ = await house.ask("order")
    await house.until(lambda: "Waits for an answer" in told(house, deployment))
    await quiet(house)
    house.slack.faults.lose_answer(POST)
    house.slack.faults.ratelimit(REPLIES, retry_after=1)
    house.slack.faults.error(REPLIES, "internal_error", times=2)

    await house.approve(MINA.id, deployment)
    await house.told(deployment)
    await house.until(lambda: len(house.slack.calls(REPLIES)) >= 1)
    house.clock.advance(seconds=10)

    await house.until(lambda: "took the answer" in told(house, deployment))
    await quiet(house)
    assert told(house, deployment).count("*Approved*") == 1
    assert told(house, deployment).count("took the answer") == 1


async def test_an_announcement_whose_search_fails_is_said_once(house: House) -> None:
    deployment, card = await house.ask("order")
    await deploys(house, GRACE, "freeze order for 20m stocktaking")
    await house.until(lambda: "stocktaking" in house.says(deployment))
    await quiet(house)
    house.slack.faults.lose_answer(POST)
    house.slack.faults.ratelimit(REPLIES, retry_after=1, times=3)

    await deploys(house, GRACE, "unfreeze order")
    await house.until(lambda: house.table("announcements"))
    await house.until(lambda: len(house.slack.calls(REPLIES)) >= 3)

    await house.until(lambda: house.table("announcements")[0]["ts"] is not None)
    said = [one for one in house.slack.messages.replies(card.channel, card.ts) if one.broadcast]
    assert len(said) == 1


async def test_an_announcement_is_looked_for_where_it_was_tried(house: House) -> None:
    """Its card vanished meanwhile and was posted anew."""
    deployment, card = await house.ask("order")
    await deploys(house, GRACE, "freeze order for 20m stocktaking")
    await house.until(lambda: "stocktaking" in house.says(deployment))
    await quiet(house)
    house.slack.faults.lose_answer(POST)
    house.slack.faults.error(REPLIES, "internal_error", times=None)

    await deploys(house, GRACE, "unfreeze order")
    await house.until(lambda: house.slack.calls(REPLIES))
    house.slack.messages.delete(card.channel, card.ts)
    house.clock.advance(seconds=50)
    await house.until(lambda: (found := house.find_card(deployment)) is not None and found.ts != card.ts, 10)
    house.slack.faults.clear()
    house.clock.advance(seconds=30)

    await house.until(lambda: house.table("announcements")[0]["ts"] is not None)
    said = [call.params["thread_ts"] for call in house.slack.calls(POST) if "reply_broadcast" in call.params]
    assert said == [card.ts]


@pytest.fixture
async def moving(build: Build) -> AsyncIterator[House]:
    """A domain with a channel of its own, whose deployments cannot be verified at first."""
    async with build(config=config_text(order=f'channel = "{ORDER.id}"\n')) as house:
        house.slack.people.add(ORDER)
        yield house


def cards_in(house: House, channel: str) -> list[Message]:
    said = house.slack.messages.in_channel(channel)
    return [message for message in said if message.by_app and not message.is_reply and not message.only_for]


async def test_a_card_posted_before_its_domain_was_known_is_found_where_it_was_posted(moving: House) -> None:
    moving.aws.faults.add("GetDeployment", "access_denied", times=None)
    moving.slack.faults.lose_answer(POST, channel=CHANNEL.id)
    moving.slack.faults.error("conversations.history", "internal_error", times=2)
    deployment = await moving.deploy("order")
    await moving.until(lambda: cards_in(moving, CHANNEL.id))
    moving.aws.faults.clear()
    moving.clock.advance(minutes=1)

    await moving.until(lambda: any("approve" in str(one.blocks) for one in cards_in(moving, ORDER.id)), 60)
    await moving.until(lambda: cards_in(moving, CHANNEL.id) == [])
    assert len(cards_in(moving, ORDER.id)) == 1
    assert deployment in text_of(cards_in(moving, ORDER.id)[0])


async def test_a_copy_whose_removal_failed_is_removed_later(moving: House) -> None:
    moving.aws.faults.add("GetDeployment", "access_denied", times=None)
    moving.slack.faults.error("chat.delete", "internal_error", times=3)
    await moving.deploy("order")
    await moving.until(lambda: cards_in(moving, CHANNEL.id))
    moving.aws.faults.clear()
    moving.clock.advance(minutes=1)

    await moving.until(lambda: cards_in(moving, ORDER.id), 60)
    await moving.until(lambda: cards_in(moving, CHANNEL.id) == [])
    assert len(moving.slack.calls("chat.delete")) == 4


async def test_a_stranger_who_presses_a_hundred_times_hears_it_once(build: Build) -> None:
    async with build(config=naming(STRANGER), before=lambda stage: stage.slack.people.add(STRANGER)) as house:
        deployment, card = await house.ask("order")
        await quiet(house)
        drawn = len(updates(house, card))
        await asyncio.gather(*(house.press(STRANGER.id, deployment, "approve") for _ in range(100)))
        await house.until(lambda: whispers(house, STRANGER))
        await house.press(STRANGER.id, deployment, "approve")
        assert len(whispers(house, STRANGER)) == 1
        assert (
            len([call for call in house.slack.calls("users.info") if call.params["user"] == STRANGER.id]) == 1
        )
        assert len(updates(house, card)) == drawn


@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_a_member_who_may_not_decide_hears_it_once_a_minute(house: House, action: str) -> None:
    deployment, _ = await house.ask("order")
    for _ in range(20):
        await house.press(JUN.id, deployment, action)
    await house.press(JUN.id, deployment, "approve" if action == "reject" else "reject")
    await house.until(lambda: len(whispers(house, JUN)) >= 2)
    assert len(whispers(house, JUN)) == 2, "one for each button"


async def test_a_refusal_that_may_change_is_answered_each_time(build: Build) -> None:
    async with build(config=config_text(order='required_checks = ["smoke"]\n')) as house:
        deployment, _ = await house.ask("order")
        for times in (1, 2, 3):
            await house.approve(OLU.id, deployment)
            await heard(house, OLU, times)


async def test_a_crowd_of_presses_costs_one_failed_look_up(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.faults.error("users.info", "internal_error", times=None)
    for _ in range(15):
        await house.approve(OLU.id, deployment)
    await house.until(lambda: whispers(house, OLU))
    assert len(whispers(house, OLU)) == 1
    assert len(house.slack.calls("users.info")) <= 2
    house.slack.faults.clear()
    house.clock.advance(seconds=4)
    await house.approve(OLU.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_two_replicas_agree_how_old_the_groups_are(house: House) -> None:
    settings = Settings.read(house.stage.environment(database_url=house.database_url))
    config = load_config(house.stage.config_file)
    second = Service(settings, config, database_url=house.database_url, clock=house.clock)
    async with serving(second):
        deployment, card = await house.ask("order")
        house.slack.faults.error("usergroups.users.list", "internal_error", times=None)
        house.clock.advance(minutes=6)
        for service in (house.service, second):
            service.reload(house.stage.config_file)  # wakes the loops
        await house.until(lambda: "has not answered since" in house.says(deployment))
        before = len(updates(house, card))
        asked = len(house.slack.calls("usergroups.users.list"))
        await house.until(lambda: len(house.slack.calls("usergroups.users.list")) >= asked + 4)
        assert len(updates(house, card)) <= before + 2
