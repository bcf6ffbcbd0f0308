"""A signed request that somebody sends again within its five minutes takes effect once."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from app.sandbox.people import CHANNEL, GRACE, OLU
from app.sandbox.slack.delivery.delivery import Sent
from tests.harness import Harness
from tests.slack.play import TWO_APPROVALS, Build, press_in, votes, wait_for_reply


@pytest.fixture
async def harness(build: Build) -> AsyncIterator[Harness]:
    async with build(socket_mode=False, config=TWO_APPROVALS) as built:
        yield built


def last_sent(harness: Harness) -> Sent:
    sent = harness.slack.last_sent
    assert sent is not None
    return sent


async def again(harness: Harness, sent: Sent) -> None:
    """The same bytes under the same signature."""
    answered = await harness.slack.replay_async(headers=sent.headers, body=sent.body)
    assert answered.status == 200


async def take_back(harness: Harness, deployment: str) -> Sent:
    await wait_for_reply(harness, OLU, "Withdraw vote")
    whispered = harness.slack.messages.ephemerals(OLU.id)[-1]
    await press_in(harness, whispered, OLU, "take_back")
    assert votes(harness, deployment) == []
    return last_sent(harness)


async def command(harness: Harness, words: str) -> Sent:
    await harness.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", words)
    return last_sent(harness)


def standing(harness: Harness) -> list[str]:
    rows = harness.rows("SELECT reason FROM freezes WHERE ended_at IS NULL ORDER BY id")
    return [row["reason"] for row in rows]


async def test_a_vote_that_was_taken_back_is_not_cast_by_its_old_request(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.approve(OLU.id, deployment)
    approved = last_sent(harness)
    assert votes(harness, deployment) == [OLU.id]
    taken_back = await take_back(harness, deployment)
    await again(harness, approved)
    assert votes(harness, deployment) == []
    await harness.approve(OLU.id, deployment)
    assert votes(harness, deployment) == [OLU.id], "an honest press counts"
    await again(harness, taken_back)
    assert votes(harness, deployment) == [OLU.id]
    assert harness.audit(deployment).count("vote_cast") == 2
    assert harness.audit(deployment).count("vote_retracted") == 1


async def test_a_freeze_that_was_lifted_does_not_come_back_and_a_new_one_is_not_lifted(
    harness: Harness,
) -> None:
    declared = await command(harness, "freeze order for 2h first")
    assert standing(harness) == ["first"]
    lifted = await command(harness, "unfreeze order")
    await again(harness, declared)
    assert standing(harness) == []
    await command(harness, "freeze order for 2h second")
    await again(harness, lifted)
    assert standing(harness) == ["second"]


async def test_a_press_that_was_refused_does_not_count_once_nothing_holds_it(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await command(harness, "freeze order for 2h incident")
    await harness.approve(OLU.id, deployment)
    refused = last_sent(harness)
    assert votes(harness, deployment) == []
    await command(harness, "unfreeze order")
    await again(harness, refused)
    assert votes(harness, deployment) == []
    await harness.approve(OLU.id, deployment)
    assert votes(harness, deployment) == [OLU.id]


async def test_what_is_remembered_is_swept(harness: Harness) -> None:
    with psycopg.connect(harness.database_url) as connection:
        connection.execute(
            "INSERT INTO handled_requests (key, handled_at)"
            " VALUES ('old', now() - interval '16 minutes'), ('young', now() - interval '10 minutes')"
        )
    await command(harness, "freeze order for 2h incident")
    keys = [row["key"] for row in harness.table("handled_requests")]
    assert "old" not in keys
    assert len(keys) == 2
