"""A signed request that somebody sends again within its five minutes takes effect once."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from app.sandbox.cast import CHANNEL, GRACE, OLU
from app.sandbox.slack.delivery import Sent
from tests.house import House
from tests.slack.play import TWO_APPROVALS, Build, is_told, press_in, votes


@pytest.fixture
async def house(build: Build) -> AsyncIterator[House]:
    async with build(socket_mode=False, config=TWO_APPROVALS) as built:
        yield built


def last_sent(house: House) -> Sent:
    sent = house.slack.last_sent
    assert sent is not None
    return sent


async def again(house: House, sent: Sent) -> None:
    """The same bytes under the same signature."""
    answered = await house.slack.replay_async(headers=sent.headers, body=sent.body)
    assert answered.status == 200


async def take_back(house: House, deployment: str) -> Sent:
    await is_told(house, OLU, "Take my vote back")
    whispered = house.slack.messages.whispers(OLU.id)[-1]
    await press_in(house, whispered, OLU, "take_back")
    assert votes(house, deployment) == []
    return last_sent(house)


async def command(house: House, words: str) -> Sent:
    await house.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", words)
    return last_sent(house)


def standing(house: House) -> list[str]:
    rows = house.rows("SELECT reason FROM freezes WHERE over_at IS NULL ORDER BY id")
    return [row["reason"] for row in rows]


async def test_a_vote_that_was_taken_back_is_not_cast_by_its_old_request(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.approve(OLU.id, deployment)
    approved = last_sent(house)
    assert votes(house, deployment) == [OLU.id]
    taken_back = await take_back(house, deployment)
    await again(house, approved)
    assert votes(house, deployment) == []
    await house.approve(OLU.id, deployment)
    assert votes(house, deployment) == [OLU.id], "an honest press counts"
    await again(house, taken_back)
    assert votes(house, deployment) == [OLU.id]
    assert house.audit(deployment).count("vote_cast") == 2
    assert house.audit(deployment).count("vote_taken_back") == 1


async def test_a_freeze_that_was_lifted_does_not_come_back_and_a_new_one_is_not_lifted(house: House) -> None:
    declared = await command(house, "freeze order for 2h first")
    assert standing(house) == ["first"]
    lifted = await command(house, "unfreeze order")
    await again(house, declared)
    assert standing(house) == []
    await command(house, "freeze order for 2h second")
    await again(house, lifted)
    assert standing(house) == ["second"]


async def test_a_press_that_was_refused_does_not_count_once_nothing_holds_it(house: House) -> None:
    deployment, _ = await house.ask("order")
    await command(house, "freeze order for 2h incident")
    await house.approve(OLU.id, deployment)
    refused = last_sent(house)
    assert votes(house, deployment) == []
    await command(house, "unfreeze order")
    await again(house, refused)
    assert votes(house, deployment) == []
    await house.approve(OLU.id, deployment)
    assert votes(house, deployment) == [OLU.id]


async def test_what_is_remembered_is_swept(house: House) -> None:
    with psycopg.connect(house.database_url) as connection:
        connection.execute(
            "INSERT INTO handled_requests (key, handled_at)"
            " VALUES ('old', now() - interval '16 minutes'), ('young', now() - interval '10 minutes')"
        )
    await command(house, "freeze order for 2h incident")
    keys = [row["key"] for row in house.table("handled_requests")]
    assert "old" not in keys
    assert len(keys) == 2
