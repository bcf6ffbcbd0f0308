"""Who presses again while CodeDeploy cannot be reached is answered with what is going on."""

import pytest

from app.sandbox.people import MINA, OLU
from app.sandbox.slack.state.shapes import User
from tests.harness import Harness
from tests.slack.play import wait_for_reply

PUT = "PutLifecycleEventHookExecutionStatus"


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (OLU, ("already approved", "CodeDeploy hasn't accepted the decision since", "retries until")),
        (MINA, ("이미 승인했습니다", "CodeDeploy에 전달하지 못하고 있습니다", "까지 자동으로 재시도")),
    ],
)
async def test_a_second_press_is_answered_that_codedeploy_is_not_reached(
    harness: Harness, person: User, words: tuple[str, ...]
) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.add(PUT, "unavailable", times=None)
    card = harness.card(deployment)
    await harness.approve(OLU.id, deployment)
    await harness.until(
        lambda: harness.rows(
            "SELECT 1 FROM reports r JOIN gates g ON g.id = r.gate_id"
            " WHERE r.last_error IS NOT NULL AND r.due_at > g.decided_at + interval '3 seconds'"
        )
    )
    await harness.slack.press_async(person.id, card.channel, card.ts, "approve")
    await wait_for_reply(harness, person, *words)
    harness.aws.faults.clear()
    harness.clock.advance(minutes=1)
    assert await harness.reported(deployment) == ["Succeeded"]
