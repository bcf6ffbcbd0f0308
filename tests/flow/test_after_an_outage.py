"""AWS was away: what waits for it is told soon after it answers again, and at once when any call succeeds."""

import asyncio
import random
from functools import partial

import pytest

from app.flow.backoff import backoff
from app.flow.lifecycle.report_decision import MAX_BACKOFF, RETRY_AFTER
from app.sandbox.aws.faults import Kind
from app.sandbox.cast import MINA
from tests.flow import outsiders
from tests.house import House

PUT = "PutLifecycleEventHookExecutionStatus"


def waits(house: House) -> list[float]:
    """Seconds between a failed try and the next one, as the record has it."""
    rows = house.rows("SELECT due_at FROM reports WHERE due_at IS NOT NULL AND claimed_by IS NULL")
    return [(row["due_at"] - house.clock()).total_seconds() for row in rows]


@pytest.mark.parametrize("fault", ["access_denied", "expired_token", "throttle", "unavailable", "drop"])
async def test_a_report_never_waits_longer_than_five_seconds(house: House, fault: Kind) -> None:
    house.aws.faults.add(PUT, fault, times=None)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)
    longest = 0.0
    for tries in range(2, 10):
        await house.until(partial(heard, house, PUT, tries))
        longest = max([longest, *waits(house)])
        house.clock.advance(seconds=5)
    assert longest <= 5.0
    house.aws.faults.clear()
    house.clock.advance(seconds=5)
    assert await house.told(deployment) == ["Succeeded"]


def test_throttled_calls_come_back_at_different_moments() -> None:
    random.seed(1)
    again = {min(backoff(20, first=RETRY_AFTER, longest=MAX_BACKOFF), MAX_BACKOFF) for _ in range(20)}
    assert len(again) > 5
    assert max(again) <= MAX_BACKOFF


@pytest.mark.parametrize("fault", ["unavailable", "drop", "error", "expired_token"])
async def test_the_first_answer_after_an_outage_has_everything_tried_at_once(
    house: House, fault: Kind
) -> None:
    deployment, _ = await house.ask("order")
    house.aws.faults.add("*", fault, times=None)
    await house.approve(MINA.id, deployment)
    await far_away(house)

    house.aws.faults.clear()
    await look(house)

    assert await house.told(deployment, timeout=20) == ["Succeeded"]


@pytest.mark.parametrize("fault", ["throttle", "access_denied"])
async def test_what_is_no_outage_brings_nothing_forward(house: House, fault: Kind) -> None:
    deployment, _ = await house.ask("order")
    house.aws.faults.add(PUT, fault, times=None)
    await house.approve(MINA.id, deployment)
    await far_away(house)
    asked = len(house.aws.calls(PUT))

    for _ in range(3):
        before = len(house.aws.calls("GetDeployment"))
        await look(house)
        await house.until(partial(heard, house, "GetDeployment", before + 1))
        await house.service.slack.replies.drain()

    assert len(house.aws.calls(PUT)) == asked


def heard(house: House, op: str, times: int) -> bool:
    return len(house.aws.calls(op)) >= times


async def far_away(house: House) -> None:
    """The report has failed, and its next try is an hour away."""
    await house.until(lambda: house.rows("SELECT 1 FROM reports WHERE last_error IS NOT NULL"))

    def put_off() -> bool:
        return bool(house.rows("SELECT 1 FROM reports WHERE due_at > now() + interval '30 minutes'"))

    while not put_off():
        await outsiders.alters(
            house,
            "UPDATE reports SET due_at = now() + interval '1 hour'"
            " WHERE claimed_by IS NULL AND due_at IS NOT NULL",
        )
        await asyncio.sleep(0)


async def look(house: House) -> None:
    """The switch is looked at now."""
    await outsiders.alters(house, "UPDATE switches SET due_at = now() WHERE due_at IS NOT NULL")
