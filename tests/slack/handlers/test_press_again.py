"""Who presses again while CodeDeploy cannot be reached is told what is going on."""

import pytest

from app.sandbox.cast import MINA, OLU
from app.sandbox.slack.shapes import User
from tests.house import House
from tests.slack.play import is_told

PUT = "PutLifecycleEventHookExecutionStatus"


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (OLU, ("already approved", "CodeDeploy has not been reached since", "keeps retrying until")),
        (MINA, ("이미 승인했습니다", "CodeDeploy에 연결되지 않습니다", "까지 계속 다시 시도")),
    ],
)
async def test_a_second_press_hears_that_codedeploy_is_not_reached(
    house: House, person: User, words: tuple[str, ...]
) -> None:
    deployment, _ = await house.ask("order")
    house.aws.faults.add(PUT, "unavailable", times=None)
    card = house.card(deployment)
    await house.approve(OLU.id, deployment)
    await house.until(
        lambda: house.rows(
            "SELECT 1 FROM reports r JOIN gates g ON g.id = r.gate_id"
            " WHERE r.last_error IS NOT NULL AND r.due_at > g.decided_at + interval '3 seconds'"
        )
    )
    await house.slack.press_async(person.id, card.channel, card.ts, "approve")
    await is_told(house, person, *words)
    house.aws.faults.clear()
    house.clock.advance(minutes=1)
    assert await house.told(deployment) == ["Succeeded"]
