"""The card's thread lists the events, once and in order; approvers are reminded."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from app.sandbox.people import CHANNEL, MINA, OLU, config_text
from app.sandbox.slack.state.shapes import Message
from tests.harness import Harness, running_harness, text_of
from tests.journeys.test_switch_lifecycle import approved
from tests.logs import captured_logs


def thread(harness: Harness, deployment: str) -> list[Message]:
    card = harness.card(deployment)
    return harness.slack.messages.replies(card.channel, card.ts)


def thread_text(harness: Harness, deployment: str) -> str:
    """The thread's replies as one text."""
    found = harness.find_card(deployment)
    return "\n".join(text_of(message) for message in thread(harness, deployment)) if found else ""


async def test_the_thread_shows_a_switch_from_its_gate_to_the_end_of_blue(harness: Harness) -> None:
    deployment = await approved(harness)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).terminates_at is not None)
    await harness.until(lambda: "100%" in thread_text(harness, deployment))
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    harness.clock.advance(minutes=6)
    await harness.until(lambda: "blue terminated" in thread_text(harness, deployment))

    text = thread_text(harness, deployment)
    in_order = [
        "Waiting for approval",
        "> approved",
        "*Approved*",
        "Sent to CodeDeploy",
        "100%",
        "blue terminated",
    ]
    assert [text.count(part) for part in in_order] == [1] * len(in_order)
    places = [text.index(part) for part in in_order]
    assert places == sorted(places)


async def test_a_reply_whose_answer_was_lost_is_not_said_twice(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "Waiting for approval" in thread_text(harness, deployment))
    harness.slack.faults.lose_answer("chat.postMessage", times=1)

    await harness.approve(OLU.id, deployment)

    await harness.until(lambda: any(row["last_error"] for row in harness.table("threads")), 20)
    harness.clock.advance(minutes=1)
    await harness.until(lambda: not any(row["due_at"] for row in harness.table("threads")), 20)
    assert thread_text(harness, deployment).count("*Approved*") == 1


async def test_an_outage_of_slack_delays_the_thread_and_loses_nothing(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "Waiting for approval" in thread_text(harness, deployment))
    harness.slack.faults.error("chat.postMessage", "fatal_error", times=3)

    await harness.approve(OLU.id, deployment)
    await harness.reported(deployment)
    await harness.until(lambda: any(row["last_error"] for row in harness.table("threads")))
    harness.clock.advance(minutes=2)

    await harness.until(lambda: "Sent to CodeDeploy" in thread_text(harness, deployment))
    assert thread_text(harness, deployment).count("*Approved*") == 1


async def test_those_who_may_decide_are_reminded_at_half_time_and_near_the_end(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")

    harness.clock.advance(minutes=28)
    await harness.until(lambda: "27 minutes left" in thread_text(harness, deployment))
    harness.clock.advance(minutes=17.5)
    await harness.until(lambda: thread_text(harness, deployment).count("minutes left") == 2)

    reminders = [text_of(reply) for reply in thread(harness, deployment) if "minutes left" in text_of(reply)]
    assert len(reminders) == 2
    assert all("<!subteam^S0ONCALL>" in reminder for reminder in reminders)
    assert harness.audit(deployment).count("reminded") == 2


async def test_nobody_is_reminded_of_a_decided_gate(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.reported(deployment)

    harness.clock.advance(minutes=50)
    await harness.service.workers["remind"].run_until_idle()

    assert "reminded" not in harness.audit(deployment)


async def test_after_a_pause_one_reminder_says_it_all(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")

    with captured_logs() as log:
        harness.clock.advance(minutes=46)
        await harness.until(lambda: "minutes left" in thread_text(harness, deployment))

    assert harness.audit(deployment).count("reminded") == 1
    (line,) = [one for one in map(json.loads, log.getvalue().splitlines()) if one["event"] == "gate_reminded"]
    assert (line["domain"], line["minutes"]) == ("order", 9)


@pytest.fixture
async def calling(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    """A harness in which another channel is called twenty minutes before the deadline."""
    text = config_text(EIGHT_DOMAINS, order='escalate_to = "C09LEADS"\nremind_at_half = false\n')
    async with running_harness(tmp_path, database_url, monkeypatch, config=text) as built:
        yield built


async def test_another_channel_is_called_when_nobody_decides(calling: Harness) -> None:
    calling.slack.people.add(CHANNEL.__class__(id="C09LEADS", name="leads"))
    deployment, _ = await calling.open_gate("order")

    calling.clock.advance(minutes=36)
    await calling.until(lambda: calling.slack.messages.in_channel("C09LEADS"))

    (call,) = calling.slack.messages.in_channel("C09LEADS")
    assert "order" in text_of(call)
    assert deployment in text_of(call)
    assert "minutes left" not in thread_text(calling, deployment)
