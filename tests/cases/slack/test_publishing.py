"""Cards are posted once, redrawn seldom, and posted again when somebody deletes them."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from app.bootstrap import build_service
from app.config.environment import Settings
from app.config.loader import load_config
from app.sandbox.people import CHANNEL, JUN, MINA, OLU, config_text
from app.sandbox.slack.state.calls import Call
from app.sandbox.slack.state.shapes import Channel, Message
from tests.harness import Harness, serving, text_of
from tests.journeys.test_timeline import thread_text
from tests.slack.play import STRANGER, TWO_APPROVALS, Build, naming, wait_for_replies, whispers

POST, UPDATE, REPLIES = "chat.postMessage", "chat.update", "conversations.replies"
EPHEMERAL = "chat.postEphemeral"
ORDER = Channel(id="C02ORDER", name="order")


def updates(harness: Harness, card: Message) -> list[Call]:
    return [call for call in harness.slack.calls(UPDATE) if call.params["ts"] == card.ts]


def has_more_ephemerals(harness: Harness, before: int) -> bool:
    return len(harness.slack.calls(EPHEMERAL)) > before


async def quiet(harness: Harness) -> None:
    """Waits until no card and no thread is due."""
    await harness.until(
        lambda: not any(row["due_at"] for row in harness.table("cards") + harness.table("threads"))
    )


async def test_a_card_that_somebody_deleted_comes_back_within_a_minute(harness: Harness) -> None:
    deployment, card = await harness.open_gate("order")
    await quiet(harness)
    harness.slack.messages.delete(card.channel, card.ts)

    harness.clock.advance(seconds=50)

    await harness.until(lambda: "approve" in harness.actions(deployment), 10)
    assert harness.card(deployment).ts != card.ts


async def test_a_deleted_card_with_the_only_undo_comes_back_within_a_minute(harness: Harness) -> None:
    deployment, card = await harness.open_gate("order")
    await harness.approve(OLU.id, deployment)
    await harness.reported(deployment)
    await harness.until(lambda: "undo" in harness.actions(deployment))
    await quiet(harness)
    harness.slack.messages.delete(card.channel, card.ts)

    harness.clock.advance(seconds=50)

    await harness.until(lambda: "undo" in harness.actions(deployment), 10)
    assert harness.card(deployment).ts != card.ts


async def test_a_card_is_redrawn_at_most_once_in_two_seconds(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        deployment, card = await harness.open_gate("order")
        await quiet(harness)
        for _ in range(8):
            await harness.approve(OLU.id, deployment)
            answered = len(harness.slack.calls(EPHEMERAL))
            await harness.press(OLU.id, deployment, "approve")
            await harness.until(partial(has_more_ephemerals, harness, answered))
        await quiet(harness)
        times = [call.when for call in updates(harness, card)]
        assert all(
            (later - sooner).total_seconds() > 1.5 for sooner, later in zip(times, times[1:], strict=False)
        )


async def test_what_follows_a_lost_line_does_not_hide_it(harness: Harness) -> None:
    """The search failed, and more happened meanwhile: the line that was tried is looked for as it was tried."""
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "Waiting for approval" in thread_text(harness, deployment))
    await quiet(harness)
    harness.slack.faults.lose_answer(POST)
    harness.slack.faults.ratelimit(REPLIES, retry_after=1)
    harness.slack.faults.error(REPLIES, "internal_error", times=2)

    await harness.approve(MINA.id, deployment)
    await harness.reported(deployment)
    await harness.until(lambda: len(harness.slack.calls(REPLIES)) >= 1)
    harness.clock.advance(seconds=10)

    await harness.until(lambda: "Sent to CodeDeploy" in thread_text(harness, deployment))
    await quiet(harness)
    assert thread_text(harness, deployment).count("*Approved*") == 1
    assert thread_text(harness, deployment).count("Sent to CodeDeploy") == 1


FROZEN = config_text() + (
    '\n[[freeze]]\nreason = "stocktaking"\ndomains = ["order"]\ntime_zone = "UTC"\n'
    "from = 2026-01-01T00:00:00Z\nuntil = 2126-01-01T00:00:00Z\n"
)


def unfreeze(harness: Harness) -> None:
    """The configuration's freeze is taken out of it; its end is announced in the card's thread."""
    harness.fakes.config_file.write_text(config_text(), encoding="utf-8")
    harness.reload_config()


async def test_an_announcement_whose_search_fails_is_said_once(build: Build) -> None:
    async with build(config=FROZEN) as harness:
        deployment, card = await harness.open_gate("order")
        await harness.until(lambda: "stocktaking" in harness.card_text(deployment))
        await quiet(harness)
        harness.slack.faults.lose_answer(POST)
        harness.slack.faults.ratelimit(REPLIES, retry_after=1, times=3)

        unfreeze(harness)
        await harness.until(lambda: harness.table("announcements"))
        await harness.until(lambda: len(harness.slack.calls(REPLIES)) >= 3)

        await harness.until(lambda: harness.table("announcements")[0]["ts"] is not None)
        said = [one for one in harness.slack.messages.replies(card.channel, card.ts) if one.broadcast]
        assert len(said) == 1


async def test_an_announcement_is_looked_for_where_it_was_tried(build: Build) -> None:
    """Its card vanished meanwhile and was posted anew."""
    async with build(config=FROZEN) as harness:
        deployment, card = await harness.open_gate("order")
        await harness.until(lambda: "stocktaking" in harness.card_text(deployment))
        await quiet(harness)
        harness.slack.faults.lose_answer(POST)
        harness.slack.faults.error(REPLIES, "internal_error", times=None)

        unfreeze(harness)
        await harness.until(lambda: harness.slack.calls(REPLIES))
        harness.slack.messages.delete(card.channel, card.ts)
        harness.clock.advance(seconds=50)
        await harness.until(
            lambda: (found := harness.find_card(deployment)) is not None and found.ts != card.ts, 10
        )
        harness.slack.faults.clear()
        harness.clock.advance(seconds=30)

        await harness.until(lambda: harness.table("announcements")[0]["ts"] is not None)
        said = [
            call.params["thread_ts"] for call in harness.slack.calls(POST) if "reply_broadcast" in call.params
        ]
        assert said == [card.ts]


@pytest.fixture
async def moving(build: Build) -> AsyncIterator[Harness]:
    """A domain with a channel of its own, whose deployments cannot be verified at first."""
    async with build(config=config_text(order=f'channel = "{ORDER.id}"\n')) as harness:
        harness.slack.people.add(ORDER)
        yield harness


def cards_in(harness: Harness, channel: str) -> list[Message]:
    said = harness.slack.messages.in_channel(channel)
    return [message for message in said if message.by_app and not message.is_reply and not message.only_for]


async def test_a_card_posted_before_its_domain_was_known_is_found_where_it_was_posted(
    moving: Harness,
) -> None:
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


async def test_a_copy_whose_removal_failed_is_removed_later(moving: Harness) -> None:
    moving.aws.faults.add("GetDeployment", "access_denied", times=None)
    moving.slack.faults.error("chat.delete", "internal_error", times=3)
    await moving.deploy("order")
    await moving.until(lambda: cards_in(moving, CHANNEL.id))
    moving.aws.faults.clear()
    moving.clock.advance(minutes=1)

    await moving.until(lambda: cards_in(moving, ORDER.id), 60)
    await moving.until(lambda: cards_in(moving, CHANNEL.id) == [])
    assert len(moving.slack.calls("chat.delete")) == 4


async def test_a_stranger_who_presses_a_hundred_times_gets_one_reply(build: Build) -> None:
    async with build(
        config=naming(STRANGER), before=lambda fakes: fakes.slack.people.add(STRANGER)
    ) as harness:
        deployment, card = await harness.open_gate("order")
        await quiet(harness)
        drawn = len(updates(harness, card))
        for _ in range(20):  # five at once: a hundred at once would try how fast the machine is
            await asyncio.gather(*(harness.press(STRANGER.id, deployment, "approve") for _ in range(5)))
        await harness.until(lambda: whispers(harness, STRANGER))
        await harness.press(STRANGER.id, deployment, "approve")
        assert len(whispers(harness, STRANGER)) == 1
        assert (
            len([call for call in harness.slack.calls("users.info") if call.params["user"] == STRANGER.id])
            == 1
        )
        assert len(updates(harness, card)) == drawn


@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_a_member_who_may_not_decide_gets_one_reply_a_minute(harness: Harness, action: str) -> None:
    deployment, _ = await harness.open_gate("order")
    for _ in range(20):
        await harness.press(JUN.id, deployment, action)
    await harness.press(JUN.id, deployment, "approve" if action == "reject" else "reject")
    await harness.until(lambda: len(whispers(harness, JUN)) >= 2)
    assert len(whispers(harness, JUN)) == 2, "one for each button"


async def test_a_refusal_that_may_change_is_answered_each_time(build: Build) -> None:
    async with build(config=config_text(order='required_checks = ["smoke"]\n')) as harness:
        deployment, _ = await harness.open_gate("order")
        for times in (1, 2, 3):
            await harness.approve(OLU.id, deployment)
            await wait_for_replies(harness, OLU, times)


async def test_a_crowd_of_presses_costs_one_failed_look_up(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.error("users.info", "internal_error", times=None)
    for _ in range(15):
        await harness.approve(OLU.id, deployment)
    await harness.until(lambda: whispers(harness, OLU))
    assert len(whispers(harness, OLU)) == 1
    assert len(harness.slack.calls("users.info")) <= 2
    harness.slack.faults.clear()
    harness.clock.advance(seconds=4)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_somebody_whom_slack_did_not_name_is_answered_again_after_some_seconds(
    harness: Harness,
) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.error("users.info", "internal_error", times=None)

    await harness.approve(OLU.id, deployment)
    await harness.until(lambda: whispers(harness, OLU))
    for _ in range(8):
        await asyncio.sleep(1)
        await harness.approve(OLU.id, deployment)
    await harness.until(lambda: len(whispers(harness, OLU)) >= 2)


async def test_two_replicas_agree_how_old_the_groups_are(harness: Harness) -> None:
    settings = Settings.read(harness.fakes.environment(database_url=harness.database_url))
    config = load_config(harness.fakes.config_file)
    second = build_service(settings, config, database_url=harness.database_url, clock=harness.clock)
    async with serving(second):
        deployment, card = await harness.open_gate("order")
        harness.slack.faults.error("usergroups.users.list", "internal_error", times=None)
        harness.clock.advance(minutes=6)
        for service in (harness.service, second):
            service.replace_config(load_config(harness.fakes.config_file))  # wakes the loops
        await harness.until(lambda: "hasn't responded since" in harness.card_text(deployment))
        before = len(updates(harness, card))
        asked = len(harness.slack.calls("usergroups.users.list"))
        await harness.until(lambda: len(harness.slack.calls("usergroups.users.list")) >= asked + 4)
        assert len(updates(harness, card)) <= before + 2
