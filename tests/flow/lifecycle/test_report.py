"""Decided and not reported: what becomes of the report when CodeDeploy answers anything but success."""

from typing import get_args

import pytest
from prometheus_client import REGISTRY

from app.sandbox.aws.faults import AFTER_COMMIT, Kind
from app.sandbox.people import GRACE, MINA, OLU
from tests.flow import outsiders
from tests.harness import Harness, text_of
from tests.slack.play import deploys

PUT = "PutLifecycleEventHookExecutionStatus"
BEFORE_COMMIT = ("throttle", "error", "unavailable", "drop")
NOT_SILENT = tuple(kind for kind in get_args(Kind) if kind in AFTER_COMMIT and "timeout" not in kind)


def reports(outcome: str) -> float:
    """The metric."""
    return REGISTRY.get_sample_value("switchgate_reports_total", {"outcome": outcome}) or 0.0


async def reported(harness: Harness, deployment: str) -> dict[str, object]:
    """The gate once its report has come to an end."""
    await harness.until(lambda: harness.gate(deployment)["outcome"] is not None)
    return harness.gate(deployment)


@pytest.mark.parametrize("fault", BEFORE_COMMIT)
async def test_a_refused_answer_is_given_again(harness: Harness, fault: Kind) -> None:
    harness.aws.faults.add(PUT, fault, times=2)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)

    assert (await reported(harness, deployment))["outcome"] == "acknowledged"
    assert harness.aws.answers(deployment) == ["Succeeded"]
    assert len(harness.aws.calls(PUT)) == 3
    (told,) = harness.rows("SELECT detail FROM audit_events WHERE kind = 'report_acknowledged'")
    assert told["detail"]["attempts"] == 3


async def test_an_answer_that_is_not_taken_is_said_until_it_is(harness: Harness) -> None:
    harness.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)

    await harness.until(
        lambda: "CodeDeploy hasn't accepted the decision yet:* AccessDenied" in harness.card_text(deployment)
    )
    # If only the answer was lost, CodeDeploy has the report, and traffic moves: nobody is told otherwise.
    assert "no traffic moves" not in harness.card_text(deployment)
    assert "not yet accepted by CodeDeploy" in text_of(await deploys(harness, OLU, "order"))
    harness.aws.faults.clear()
    harness.clock.advance(minutes=1)
    assert await harness.reported(deployment) == ["Succeeded"]
    await harness.until(lambda: "CodeDeploy hook result" in harness.card_text(deployment))
    assert "hasn't accepted" not in harness.card_text(deployment)
    assert "not yet accepted" not in text_of(await deploys(harness, OLU, "order"))


@pytest.mark.parametrize("fault", NOT_SILENT)
async def test_an_answer_whose_receipt_was_lost_is_found_at_codedeploy(harness: Harness, fault: Kind) -> None:
    harness.aws.faults.add(PUT, fault)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)

    assert (await reported(harness, deployment))["outcome"] == "acknowledged"
    assert harness.aws.answers(deployment) == ["Succeeded"]
    assert [call.outcome for call in harness.aws.calls(PUT)] == [
        fault,
        "LifecycleEventAlreadyCompletedException",
    ]


@pytest.mark.slow
async def test_an_answer_that_codedeploy_took_in_silence_is_found_there(harness: Harness) -> None:
    harness.aws.faults.add(PUT, "timeout_after_commit")
    deployment, _ = await harness.open_gate("order")
    await harness.reject(OLU.id, deployment, "not today")
    await harness.until(lambda: harness.gate(deployment)["outcome"] is not None, timeout=30)
    assert harness.gate(deployment)["outcome"] == "acknowledged"
    assert harness.aws.answers(deployment) == ["Failed"]


async def test_a_missing_permission_is_waited_for_until_somebody_grants_it(harness: Harness) -> None:
    harness.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: last_error(harness) == "AccessDeniedException")
    await harness.until(
        lambda: "CodeDeploy hasn't accepted the decision yet" in harness.card_text(deployment)
    )
    assert harness.gate(deployment)["phase"] == "decided"

    harness.aws.faults.clear(PUT)
    harness.clock.advance(seconds=30)

    assert await harness.reported(deployment) == ["Succeeded"]
    assert (await reported(harness, deployment))["outcome"] == "acknowledged"


async def test_a_permission_that_never_comes_is_given_up_after_the_hooks_hour(harness: Harness) -> None:
    harness.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: last_error(harness) == "AccessDeniedException")

    harness.clock.advance(minutes=66)

    gate = await reported(harness, deployment)
    assert (gate["outcome"], gate["outcome_detail"]) == ("undeliverable", "AccessDeniedException")
    await harness.until(lambda: "Couldn't deliver the decision" in harness.card_text(deployment))
    assert harness.aws.answers(deployment) == []


async def test_an_execution_id_that_codedeploy_does_not_know_is_final(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await outsiders.alters(harness, "UPDATE gates SET execution_id = 'not-this-one'")
    before = reports("undeliverable")
    await harness.approve(MINA.id, deployment)

    gate = await reported(harness, deployment)
    assert (gate["outcome"], gate["outcome_detail"]) == (
        "undeliverable",
        "InvalidLifecycleEventHookExecutionIdException",
    )
    await harness.until(lambda: "Couldn't deliver the decision" in harness.card_text(deployment))
    assert "report_undeliverable" in harness.audit(deployment)
    assert reports("undeliverable") == before + 1
    assert len(harness.aws.calls(PUT)) == 1


async def test_a_refusal_of_a_hook_that_is_over_is_looked_into(harness: Harness) -> None:
    """Whichever error CodeDeploy has for it: what counts is what the lifecycle event shows."""
    deployment, _ = await harness.open_gate("order")
    await outsiders.alters(harness, "UPDATE gates SET execution_id = 'not-this-one'")
    harness.aws.stop_deployment(deployment, rollback=False)
    await harness.approve(MINA.id, deployment)

    gate = await reported(harness, deployment)
    assert (gate["outcome"], gate["outcome_detail"]) == ("conflict", "Failed")


async def test_a_deployment_that_codedeploy_does_not_know_is_final(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await outsiders.alters(harness, "UPDATE switches SET deployment_id = 'd-ELSEWHERE'")
    await harness.approve(MINA.id, deployment)

    await harness.until(lambda: harness.rows("SELECT 1 FROM gates WHERE outcome = 'undeliverable'"))
    await harness.until(lambda: "report_undeliverable" in harness.audit("d-ELSEWHERE"))
    assert harness.aws.answers(deployment) == []


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
async def test_the_same_answer_given_by_somebody_else_is_success(harness: Harness, status: str) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "Healthy:" in harness.card_text(deployment))  # evidence, for the approval
    for read in ("GetDeployment", "BatchGetDeployments"):  # or the watcher may find out before the press
        harness.aws.faults.add(read, "throttle", times=None)
    await outsiders.answers(harness, deployment, status)
    if status == "Succeeded":
        await harness.approve(GRACE.id, deployment)
    else:
        await harness.reject(GRACE.id, deployment, "broken")

    assert (await reported(harness, deployment))["outcome"] == "acknowledged"
    assert harness.aws.answers(deployment) == [status]


async def test_another_answer_given_by_somebody_else_is_shown_everywhere(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await outsiders.answers(harness, deployment, "Succeeded")
    before = reports("conflict")
    await harness.reject(GRACE.id, deployment, "broken")

    gate = await reported(harness, deployment)
    assert (gate["verdict"], gate["outcome"], gate["outcome_detail"]) == (
        "rejected",
        "conflict",
        "Succeeded",
    )
    await harness.until(lambda: "recorded a different result: Succeeded" in harness.card_text(deployment))
    assert "report_conflict" in harness.audit(deployment)
    assert reports("conflict") == before + 1


async def test_an_answer_that_cannot_be_seen_yet_is_looked_for_again(harness: Harness) -> None:
    """CodeDeploy's reads lag behind its writes: *already completed* and *in progress* at once is only early."""
    harness.aws.faults.delay_endings(2)
    harness.aws.faults.add(PUT, "drop_after_commit")
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)

    assert (await reported(harness, deployment))["outcome"] == "acknowledged"
    assert harness.aws.answers(deployment) == ["Succeeded"]
    assert len(harness.aws.calls(PUT)) > 2


def last_error(harness: Harness) -> object:
    return harness.rows("SELECT last_error FROM reports")[0]["last_error"]
