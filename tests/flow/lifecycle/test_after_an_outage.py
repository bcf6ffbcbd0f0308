"""After an outage of AWS: due reports are sent soon after it answers again, and at once when any call succeeds."""

import asyncio
import random
from functools import partial

import pytest

from app.flow.backoff import backoff
from app.flow.lifecycle.report_decision import MAX_BACKOFF, RETRY_AFTER
from app.sandbox.aws.faults import Kind
from app.sandbox.people import MINA
from tests.flow import outsiders
from tests.harness import Harness

PUT = "PutLifecycleEventHookExecutionStatus"


def waits(harness: Harness) -> list[float]:
    """Seconds between a failed try and the next one, as the record has it."""
    rows = harness.rows("SELECT due_at FROM reports WHERE due_at IS NOT NULL AND claimed_by IS NULL")
    return [(row["due_at"] - harness.clock()).total_seconds() for row in rows]


@pytest.mark.parametrize("fault", ["access_denied", "expired_token", "throttle", "unavailable", "drop"])
async def test_a_report_never_waits_longer_than_five_seconds(harness: Harness, fault: Kind) -> None:
    harness.aws.faults.add(PUT, fault, times=None)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    longest = 0.0
    for tries in range(2, 10):
        await harness.until(partial(heard, harness, PUT, tries))
        longest = max([longest, *waits(harness)])
        harness.clock.advance(seconds=5)
    assert longest <= 5.0
    harness.aws.faults.clear()
    harness.clock.advance(seconds=5)
    assert await harness.reported(deployment) == ["Succeeded"]


def test_throttled_calls_come_back_at_different_moments() -> None:
    random.seed(1)
    again = {min(backoff(20, first=RETRY_AFTER, longest=MAX_BACKOFF), MAX_BACKOFF) for _ in range(20)}
    assert len(again) > 5
    assert max(again) <= MAX_BACKOFF


@pytest.mark.parametrize("fault", ["unavailable", "drop", "error", "expired_token"])
async def test_the_first_answer_after_an_outage_makes_all_work_due_at_once(
    harness: Harness, fault: Kind
) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.add("*", fault, times=None)
    await harness.approve(MINA.id, deployment)
    await far_away(harness)

    harness.aws.faults.clear()
    await look(harness)

    assert await harness.reported(deployment, timeout=20) == ["Succeeded"]


@pytest.mark.parametrize("fault", ["throttle", "access_denied"])
async def test_what_is_no_outage_brings_nothing_forward(harness: Harness, fault: Kind) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.add(PUT, fault, times=None)
    await harness.approve(MINA.id, deployment)
    await far_away(harness)
    asked = len(harness.aws.calls(PUT))

    for _ in range(3):
        before = len(harness.aws.calls("GetDeployment"))
        await look(harness)
        await harness.until(partial(heard, harness, "GetDeployment", before + 1))
        await harness.service.slack.background.drain()

    assert len(harness.aws.calls(PUT)) == asked


def heard(harness: Harness, op: str, times: int) -> bool:
    return len(harness.aws.calls(op)) >= times


async def far_away(harness: Harness) -> None:
    """The report has failed, and its next try is an hour away."""
    await harness.until(lambda: harness.rows("SELECT 1 FROM reports WHERE last_error IS NOT NULL"))

    def put_off() -> bool:
        return bool(harness.rows("SELECT 1 FROM reports WHERE due_at > now() + interval '30 minutes'"))

    while not put_off():
        await outsiders.alters(
            harness,
            "UPDATE reports SET due_at = now() + interval '1 hour'"
            " WHERE claimed_by IS NULL AND due_at IS NOT NULL",
        )
        await asyncio.sleep(0)


async def look(harness: Harness) -> None:
    """The switch is looked at now."""
    await outsiders.alters(harness, "UPDATE switches SET due_at = now() WHERE due_at IS NOT NULL")
