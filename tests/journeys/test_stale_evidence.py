"""The looks at a gate's evidence are far apart in a crowd: an approval is held by what live traffic is now."""

import pytest

from app.sandbox.cast import GRACE, JUN, OLU
from tests.flow import outsiders
from tests.house import House
from tests.journeys.test_traffic_guard import BLUE, ELSEWHERE, GREEN, SERVES, UNHEALTHY, asked

READS = ("DescribeListeners", "DescribeTargetHealth")


async def stale(house: House) -> str:
    """A gate whose next look is far away, as in a crowd, and whose last one is five minutes old."""
    deployment = await asked(house)
    await outsiders.alters(house, "UPDATE evidence SET due_at = due_at + interval '50 minutes'")
    house.clock.advance(minutes=5)
    return deployment


def reads(house: House) -> list[int]:
    return [len(house.aws.calls(op)) for op in READS]


@pytest.mark.parametrize(
    ("weights", "said"),
    [({BLUE: 70, GREEN: 30}, SERVES), ({BLUE: 60, "legacy": 40}, ELSEWHERE)],
    ids=["green serves already", "traffic goes elsewhere"],
)
async def test_an_approval_is_held_by_what_the_listener_does_now(
    house: House, weights: dict[str, int], said: str
) -> None:
    deployment = await stale(house)
    house.aws.write_listener("order", weights)
    await house.approve(OLU.id, deployment)
    await house.until(lambda: said in house.whispered(OLU.id))
    assert house.gate(deployment)["phase"] == "awaiting"
    assert house.aws.answers(deployment) == []
    await house.until(lambda: said in house.says(deployment))  # the press had the evidence read anew

    house.aws.write_listener("order", {})
    await outsiders.alters(house, "UPDATE evidence SET due_at = due_at + interval '50 minutes'")
    house.clock.advance(minutes=5)
    await house.approve(OLU.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_and_by_greens_health_now(house: House) -> None:
    deployment = await stale(house)
    house.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
    await house.approve(OLU.id, deployment)
    await house.until(lambda: UNHEALTHY in house.whispered(OLU.id))
    assert house.gate(deployment)["phase"] == "awaiting"


async def test_a_second_press_counts_as_one_vote(house: House) -> None:
    """The transaction that found the evidence stale has left nothing behind."""
    deployment = await stale(house)
    await house.approve(OLU.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    assert house.audit(deployment).count("vote_cast") == 1
    assert house.rows("SELECT voter FROM votes") == [{"voter": OLU.id}]


async def test_who_may_not_approve_and_who_rejects_have_nothing_read(house: House) -> None:
    deployment = await stale(house)
    before = reads(house)
    await house.approve(JUN.id, deployment)
    await house.until(lambda: "press_refused" in house.audit(deployment))
    assert reads(house) == before
    await house.reject(GRACE.id, deployment, "not now")
    assert await house.told(deployment) == ["Failed"]
    assert reads(house) == before


@pytest.mark.parametrize("how", ["denied", "silent"])
async def test_what_cannot_be_read_in_time_holds_nothing(house: House, how: str) -> None:
    deployment = await stale(house)
    house.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    for op in READS:
        if how == "denied":
            house.aws.faults.add(op, "access_denied", times=None)
        else:
            house.aws.faults.slow(op, 8000)
    pressed = await house.approve(OLU.id, deployment)
    assert pressed.ack.acked
    assert await house.told(deployment) == ["Succeeded"]


async def test_an_admin_breaks_the_glass_by_what_is_there_now(house: House) -> None:
    deployment = await asked(house)
    house.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    house.clock.advance(seconds=20)
    await house.until(lambda: SERVES in house.says(deployment))
    await house.press(GRACE.id, deployment, "break_glass")
    await house.until(lambda: house.slack.views.top(GRACE.id) is not None)
    form = house.slack.views.top(GRACE.id)
    assert form is not None
    await outsiders.alters(house, "UPDATE evidence SET due_at = due_at + interval '50 minutes'")
    house.clock.advance(minutes=5)
    await house.slack.submit_async(GRACE.id, form.id, {"glass_reason": "the load test sends it there"})
    assert await house.told(deployment) == ["Succeeded"]
    assert house.gate(deployment)["broken"] == [{"rule": "green_serves", "port": 8020, "percent": 30}]
