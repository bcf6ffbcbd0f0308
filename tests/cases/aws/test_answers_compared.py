"""A 200 says that an answer was taken; what CodeDeploy holds is what its lifecycle event shows at the next look."""

import pytest
from prometheus_client import REGISTRY

from app.sandbox.cast import GRACE, MINA
from tests.flow import outsiders
from tests.house import House

CONTRADICTED = ("switchgate_reports_total", {"outcome": "contradicted"})


@pytest.mark.parametrize("reads", [0, 3])
async def test_an_answer_that_codedeploy_took_and_does_not_hold_is_contradicted(
    house: House, reads: int
) -> None:
    """Somebody else was first, and CodeDeploy does not say so."""
    house.aws.faults.delay_endings(reads)
    house.aws.faults.take_late_answers()
    before = REGISTRY.get_sample_value(*CONTRADICTED) or 0
    deployment, _ = await house.ask("order")
    await outsiders.answers(house, deployment, "Succeeded")
    await house.reject(GRACE.id, deployment, "broken")

    await house.until(lambda: house.gate(deployment)["outcome"] == "contradicted")
    gate = house.gate(deployment)
    assert (gate["verdict"], gate["outcome_detail"]) == ("rejected", "Succeeded")
    await house.until(lambda: "holds another answer: Succeeded" in house.says(deployment))
    told = house.audit(deployment)
    assert (told.count("report_told"), told.count("report_contradicted")) == (1, 1)
    assert REGISTRY.get_sample_value(*CONTRADICTED) == before + 1


async def test_one_that_ended_the_deployment_is_contradicted_too(house: House) -> None:
    house.aws.faults.take_late_answers()
    deployment, _ = await house.ask("order")
    await outsiders.answers(house, deployment, "Failed")
    await house.approve(MINA.id, deployment)
    await house.until(lambda: house.gate(deployment)["outcome"] in {"contradicted", None})
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")
    gate = house.gate(deployment)
    assert (gate["verdict"], gate["outcome"]) in {("approved", "contradicted"), ("withdrawn", None)}
    if gate["verdict"] == "approved":
        assert gate["outcome_detail"] == "Failed"


@pytest.mark.parametrize("choice", ["approve", "reject"])
async def test_an_answer_that_it_holds_is_compared_once(house: House, choice: str) -> None:
    deployment, _ = await house.ask("order")
    if choice == "approve":
        await house.approve(MINA.id, deployment)
    else:
        await house.reject(GRACE.id, deployment, "broken")
    await house.until(lambda: house.gate(deployment)["event_read_at"] is not None)
    assert house.gate(deployment)["outcome"] == "told"
    assert "report_contradicted" not in house.audit(deployment)
