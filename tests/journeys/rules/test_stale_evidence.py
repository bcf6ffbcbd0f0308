"""A gate's evidence is read rarely when many gates wait: an approval is checked against the live traffic."""

import pytest

from app.sandbox.people import GRACE, JUN, OLU
from tests.flow import outsiders
from tests.harness import Harness
from tests.journeys.rules.test_traffic_guard import BLUE, ELSEWHERE, GREEN, SERVES, UNHEALTHY, asked

READS = ("DescribeListeners", "DescribeTargetHealth")


async def stale(harness: Harness) -> str:
    """A gate whose evidence is five minutes old and not read again soon."""
    deployment = await asked(harness)
    await outsiders.alters(harness, "UPDATE evidence SET due_at = due_at + interval '50 minutes'")
    harness.clock.advance(minutes=5)
    return deployment


def reads(harness: Harness) -> list[int]:
    return [len(harness.aws.calls(op)) for op in READS]


@pytest.mark.parametrize(
    ("weights", "said"),
    [({BLUE: 70, GREEN: 30}, SERVES), ({BLUE: 60, "legacy": 40}, ELSEWHERE)],
    ids=["green serves already", "traffic goes elsewhere"],
)
async def test_an_approval_is_held_by_what_the_listener_does_now(
    harness: Harness, weights: dict[str, int], said: str
) -> None:
    deployment = await stale(harness)
    harness.aws.write_listener("order", weights)
    await harness.approve(OLU.id, deployment)
    await harness.until(lambda: said in harness.ephemerals(OLU.id))
    assert harness.gate(deployment)["phase"] == "awaiting"
    assert harness.aws.answers(deployment) == []
    await harness.until(lambda: said in harness.card_text(deployment))  # the press had the evidence read anew

    harness.aws.write_listener("order", {})
    await outsiders.alters(harness, "UPDATE evidence SET due_at = due_at + interval '50 minutes'")
    harness.clock.advance(minutes=5)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_and_by_greens_health_now(harness: Harness) -> None:
    deployment = await stale(harness)
    harness.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
    await harness.approve(OLU.id, deployment)
    await harness.until(lambda: UNHEALTHY in harness.ephemerals(OLU.id))
    assert harness.gate(deployment)["phase"] == "awaiting"


async def test_a_second_press_counts_as_one_vote(harness: Harness) -> None:
    """The transaction that found the evidence stale has left nothing behind."""
    deployment = await stale(harness)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    assert harness.audit(deployment).count("vote_cast") == 1
    assert harness.rows("SELECT voter FROM votes") == [{"voter": OLU.id}]


async def test_who_may_not_approve_and_who_rejects_have_nothing_read(harness: Harness) -> None:
    deployment = await stale(harness)
    before = reads(harness)
    await harness.approve(JUN.id, deployment)
    await harness.until(lambda: "vote_denied" in harness.audit(deployment))
    assert reads(harness) == before
    await harness.reject(GRACE.id, deployment, "not now")
    assert await harness.reported(deployment) == ["Failed"]
    assert reads(harness) == before


@pytest.mark.parametrize("how", ["denied", "silent"])
async def test_traffic_that_cannot_be_read_in_time_blocks_nothing(harness: Harness, how: str) -> None:
    deployment = await stale(harness)
    harness.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    for op in READS:
        if how == "denied":
            harness.aws.faults.add(op, "access_denied", times=None)
        else:
            harness.aws.faults.slow(op, 8000)
    pressed = await harness.approve(OLU.id, deployment)
    assert pressed.ack.acked
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_break_glass_uses_the_current_state(harness: Harness) -> None:
    deployment = await asked(harness)
    harness.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    harness.clock.advance(seconds=20)
    await harness.until(lambda: SERVES in harness.card_text(deployment))
    await harness.press(GRACE.id, deployment, "break_glass")
    await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
    form = harness.slack.views.top(GRACE.id)
    assert form is not None
    await outsiders.alters(harness, "UPDATE evidence SET due_at = due_at + interval '50 minutes'")
    harness.clock.advance(minutes=5)
    await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "the load test sends it there"})
    assert await harness.reported(deployment) == ["Succeeded"]
    assert harness.gate(deployment)["overridden_rules"] == [
        {"rule": "green_receives_traffic", "port": 8020, "percent": 30}
    ]
