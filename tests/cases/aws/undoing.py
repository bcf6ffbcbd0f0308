"""The plays that the undo cases share: a switch of `order` to its end, and the way back."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.cast import GRACE, MINA
from tests.house import House
from tests.journeys.test_undo import undo

FAMILY = "klp-logistics-order"
Location = Mapping[str, Any]


def inline(content: str, kind: str = "AppSpecContent") -> Location:
    member = "appSpecContent" if kind == "AppSpecContent" else "string"
    return {"revisionType": kind, member: {"content": content}}


async def evidence_is_in(house: House, deployment: str) -> None:
    await house.until(
        lambda: house.rows(
            "SELECT 1 FROM evidence e JOIN gates g ON g.id = e.gate_id JOIN switches s ON s.id = g.switch_id"
            " WHERE s.deployment_id = %s AND e.seen #>> '{blue,task_definition}' IS NOT NULL",
            deployment,
        )
    )


async def to_the_end(house: House, **how: Any) -> str:
    """Deployed, approved once it is known what blue runs, and finished."""
    deployment = await house.deploy("order", **how)
    await house.until(lambda: "approve" in house.actions(deployment))
    await evidence_is_in(house, deployment)
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    house.clock.advance(minutes=6)
    await house.until(lambda: "Finished" in house.says(deployment))
    return deployment


async def take_back(house: House, deployment: str) -> dict[str, Any]:
    """Presses Undo; gives what CreateDeployment was asked, once what served before serves again."""
    await undo(house, GRACE.id, deployment)
    await house.until(lambda: house.aws.calls("CreateDeployment"), 10)
    await house.play(lambda: "What served before serves again" in house.says(deployment))
    asked = house.aws.calls("CreateDeployment")[-1].params
    assert isinstance(asked, dict)
    return asked


def image(house: House, deployment: str) -> str:
    return house.aws.deployment(deployment).image.rpartition(":")[2]
