"""A 200 says that an answer was taken; the next poll of the lifecycle event shows what CodeDeploy recorded."""

import pytest
from prometheus_client import REGISTRY

from app.sandbox.people import GRACE, MINA
from tests.flow import outsiders
from tests.harness import Harness

CONTRADICTED = ("switchgate_reports_total", {"outcome": "conflict"})


@pytest.mark.parametrize("reads", [0, 3])
async def test_an_answer_that_codedeploy_took_and_does_not_hold_is_contradicted(
    harness: Harness, reads: int
) -> None:
    """Somebody else was first, and CodeDeploy does not say so."""
    harness.aws.faults.delay_endings(reads)
    harness.aws.faults.take_late_answers()
    before = REGISTRY.get_sample_value(*CONTRADICTED) or 0
    deployment, _ = await harness.open_gate("order")
    await outsiders.answers(harness, deployment, "Succeeded")
    await harness.reject(GRACE.id, deployment, "broken")

    await harness.until(lambda: harness.gate(deployment)["outcome"] == "conflict")
    gate = harness.gate(deployment)
    assert (gate["verdict"], gate["outcome_detail"]) == ("rejected", "Succeeded")
    await harness.until(lambda: "recorded a different result: Succeeded" in harness.card_text(deployment))
    kinds = harness.audit(deployment)
    assert (kinds.count("report_acknowledged"), kinds.count("report_conflict")) == (1, 1)
    assert REGISTRY.get_sample_value(*CONTRADICTED) == before + 1


async def test_one_that_ended_the_deployment_is_contradicted_too(harness: Harness) -> None:
    harness.aws.faults.take_late_answers()
    deployment, _ = await harness.open_gate("order")
    await outsiders.answers(harness, deployment, "Failed")
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: harness.gate(deployment)["outcome"] in {"conflict", None})
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    gate = harness.gate(deployment)
    assert (gate["verdict"], gate["outcome"]) in {("approved", "conflict"), ("withdrawn", None)}
    if gate["verdict"] == "approved":
        assert gate["outcome_detail"] == "Failed"


@pytest.mark.parametrize("choice", ["approve", "reject"])
async def test_an_answer_that_it_holds_is_compared_once(harness: Harness, choice: str) -> None:
    deployment, _ = await harness.open_gate("order")
    if choice == "approve":
        await harness.approve(MINA.id, deployment)
    else:
        await harness.reject(GRACE.id, deployment, "broken")
    await harness.until(lambda: harness.gate(deployment)["event_read_at"] is not None)
    assert harness.gate(deployment)["outcome"] == "acknowledged"
    assert "report_conflict" not in harness.audit(deployment)
