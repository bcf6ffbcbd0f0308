"""Helpers of the undo cases: finish a switch of `order`, and undo it."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.people import GRACE, MINA
from tests.harness import Harness
from tests.journeys.undo.test_undo import undo

FAMILY = "klp-logistics-order"
Location = Mapping[str, Any]


def inline(content: str, kind: str = "AppSpecContent") -> Location:
    member = "appSpecContent" if kind == "AppSpecContent" else "string"
    return {"revisionType": kind, member: {"content": content}}


async def evidence_is_in(harness: Harness, deployment: str) -> None:
    await harness.until(
        lambda: harness.rows(
            "SELECT 1 FROM evidence e JOIN gates g ON g.id = e.gate_id JOIN switches s ON s.id = g.switch_id"
            " WHERE s.deployment_id = %s AND e.seen #>> '{blue,task_definition}' IS NOT NULL",
            deployment,
        )
    )


async def to_the_end(harness: Harness, **how: Any) -> str:
    """Deployed, approved once it is known what blue runs, and finished."""
    deployment = await harness.deploy("order", **how)
    await harness.until(lambda: "approve" in harness.actions(deployment))
    await evidence_is_in(harness, deployment)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    harness.clock.advance(minutes=6)
    await harness.until(lambda: "Completed" in harness.card_text(deployment))
    return deployment


async def take_back(harness: Harness, deployment: str) -> dict[str, Any]:
    """Presses Undo; gives what CreateDeployment was asked, once what served before serves again."""
    await undo(harness, GRACE.id, deployment)
    await harness.until(lambda: harness.aws.calls("CreateDeployment"), 10)
    await harness.advance_until(lambda: "Previous version live again" in harness.card_text(deployment))
    asked = harness.aws.calls("CreateDeployment")[-1].params
    assert isinstance(asked, dict)
    return asked


def image(harness: Harness, deployment: str) -> str:
    return harness.aws.deployment(deployment).image.rpartition(":")[2]
