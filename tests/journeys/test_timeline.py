"""The card's thread tells what happened, once and in order; those who may decide are reminded."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.sandbox.aws.world import EIGHT_DOMAINS
from app.sandbox.cast import CHANNEL, MINA, OLU, config_text
from app.sandbox.slack.shapes import Message
from tests.house import House, living_house, text_of
from tests.journeys.test_following import approved


def thread(house: House, deployment: str) -> list[Message]:
    card = house.card(deployment)
    return house.slack.messages.replies(card.channel, card.ts)


def told(house: House, deployment: str) -> str:
    """The whole thread, as one text."""
    found = house.find_card(deployment)
    return "\n".join(text_of(message) for message in thread(house, deployment)) if found else ""


async def test_the_thread_tells_a_switch_from_its_question_to_the_end_of_blue(house: House) -> None:
    deployment = await approved(house)
    house.aws.play_until(lambda: house.aws.deployment(deployment).terminates_at is not None)
    await house.until(lambda: "100 %" in told(house, deployment))
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    house.clock.advance(minutes=6)
    await house.until(lambda: "blue is terminated" in told(house, deployment))

    story = told(house, deployment)
    in_order = [
        "Waits for an answer",
        "approves",
        "*Approved*",
        "took the answer",
        "100 %",
        "blue is terminated",
    ]
    assert [story.count(part) for part in in_order] == [1] * len(in_order)
    places = [story.index(part) for part in in_order]
    assert places == sorted(places)


async def test_a_reply_whose_answer_was_lost_is_not_said_twice(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.until(lambda: "Waits for an answer" in told(house, deployment))
    house.slack.faults.lose_answer("chat.postMessage", times=1)

    await house.approve(OLU.id, deployment)

    await house.until(lambda: any(row["last_error"] for row in house.table("threads")), 20)
    house.clock.advance(minutes=1)
    await house.until(lambda: not any(row["due_at"] for row in house.table("threads")), 20)
    assert told(house, deployment).count("*Approved*") == 1


async def test_slack_away_delays_the_thread_and_loses_nothing(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.until(lambda: "Waits for an answer" in told(house, deployment))
    house.slack.faults.error("chat.postMessage", "fatal_error", times=3)

    await house.approve(OLU.id, deployment)
    await house.told(deployment)
    await house.until(lambda: any(row["last_error"] for row in house.table("threads")))
    house.clock.advance(minutes=2)

    await house.until(lambda: "took the answer" in told(house, deployment))
    assert told(house, deployment).count("*Approved*") == 1


async def test_those_who_may_decide_are_reminded_at_half_time_and_near_the_end(house: House) -> None:
    deployment, _ = await house.ask("order")

    house.clock.advance(minutes=28)
    await house.until(lambda: "27 minutes left" in told(house, deployment))
    house.clock.advance(minutes=17.5)
    await house.until(lambda: told(house, deployment).count("minutes left") == 2)

    reminders = [text_of(reply) for reply in thread(house, deployment) if "minutes left" in text_of(reply)]
    assert len(reminders) == 2
    assert all("<!subteam^S0ONCALL>" in reminder for reminder in reminders)
    assert house.audit(deployment).count("reminded") == 2


async def test_nobody_is_reminded_of_a_decided_gate(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)
    await house.told(deployment)

    house.clock.advance(minutes=50)
    await house.service.errands.remind.settle()

    assert "reminded" not in house.audit(deployment)


async def test_after_a_pause_one_reminder_says_it_all(house: House) -> None:
    deployment, _ = await house.ask("order")

    house.clock.advance(minutes=46)
    await house.until(lambda: "minutes left" in told(house, deployment))

    assert house.audit(deployment).count("reminded") == 1


@pytest.fixture
async def calling(tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A house in which another channel is called twenty minutes before the deadline."""
    text = config_text(EIGHT_DOMAINS, order='escalate_to = "C09LEADS"\nremind_at_half = false\n')
    async with living_house(tmp_path, record_url, monkeypatch, config=text) as built:
        yield built


async def test_another_channel_is_called_when_nobody_decides(calling: House) -> None:
    calling.slack.people.add(CHANNEL.__class__(id="C09LEADS", name="leads"))
    deployment, _ = await calling.ask("order")

    calling.clock.advance(minutes=36)
    await calling.until(lambda: calling.slack.messages.in_channel("C09LEADS"))

    (call,) = calling.slack.messages.in_channel("C09LEADS")
    assert "order" in text_of(call)
    assert deployment in text_of(call)
    assert "minutes left" not in told(calling, deployment)
