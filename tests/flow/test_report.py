"""Decided and not told: what becomes of the report when CodeDeploy answers everything but a plain yes."""

from typing import get_args

import pytest
from prometheus_client import REGISTRY

from app.sandbox.aws.faults import AFTER_COMMIT, Kind
from app.sandbox.cast import GRACE, MINA, OLU
from tests.flow import outsiders
from tests.house import House, text_of
from tests.slack.play import deploys

PUT = "PutLifecycleEventHookExecutionStatus"
BEFORE_COMMIT = ("throttle", "error", "unavailable", "drop")
NOT_SILENT = tuple(kind for kind in get_args(Kind) if kind in AFTER_COMMIT and "timeout" not in kind)


def reports(outcome: str) -> float:
    """The metric."""
    return REGISTRY.get_sample_value("switchgate_reports_total", {"outcome": outcome}) or 0.0


async def reported(house: House, deployment: str) -> dict[str, object]:
    """The gate once its report has come to an end."""
    await house.until(lambda: house.gate(deployment)["outcome"] is not None)
    return house.gate(deployment)


@pytest.mark.parametrize("fault", BEFORE_COMMIT)
async def test_a_refused_answer_is_given_again(house: House, fault: Kind) -> None:
    house.aws.faults.add(PUT, fault, times=2)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)

    assert (await reported(house, deployment))["outcome"] == "told"
    assert house.aws.answers(deployment) == ["Succeeded"]
    assert len(house.aws.calls(PUT)) == 3
    (told,) = house.rows("SELECT detail FROM audit_events WHERE kind = 'report_told'")
    assert told["detail"]["attempts"] == 3


async def test_an_answer_that_is_not_taken_is_said_until_it_is(house: House) -> None:
    house.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)

    await house.until(
        lambda: "CodeDeploy has not confirmed the answer yet:* AccessDenied" in house.says(deployment)
    )
    # Where only the receipt was lost CodeDeploy has it, and traffic moves: nobody is told otherwise.
    assert "no traffic moves" not in house.says(deployment)
    assert "CodeDeploy has not confirmed it yet" in text_of(await deploys(house, OLU, "order"))
    house.aws.faults.clear()
    house.clock.advance(minutes=1)
    assert await house.told(deployment) == ["Succeeded"]
    await house.until(lambda: "CodeDeploy took the answer" in house.says(deployment))
    assert "has not confirmed" not in house.says(deployment)
    assert "has not confirmed" not in text_of(await deploys(house, OLU, "order"))


@pytest.mark.parametrize("fault", NOT_SILENT)
async def test_an_answer_whose_receipt_was_lost_is_found_at_codedeploy(house: House, fault: Kind) -> None:
    house.aws.faults.add(PUT, fault)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)

    assert (await reported(house, deployment))["outcome"] == "told"
    assert house.aws.answers(deployment) == ["Succeeded"]
    assert [call.outcome for call in house.aws.calls(PUT)] == [
        fault,
        "LifecycleEventAlreadyCompletedException",
    ]


@pytest.mark.slow
async def test_an_answer_that_codedeploy_took_in_silence_is_found_there(house: House) -> None:
    house.aws.faults.add(PUT, "timeout_after_commit")
    deployment, _ = await house.ask("order")
    await house.reject(OLU.id, deployment, "not today")
    await house.until(lambda: house.gate(deployment)["outcome"] is not None, timeout=30)
    assert house.gate(deployment)["outcome"] == "told"
    assert house.aws.answers(deployment) == ["Failed"]


async def test_a_missing_permission_is_waited_for_until_somebody_grants_it(house: House) -> None:
    house.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)
    await house.until(lambda: last_error(house) == "AccessDeniedException")
    await house.until(lambda: "CodeDeploy has not confirmed the answer yet" in house.says(deployment))
    assert house.gate(deployment)["phase"] == "decided"

    house.aws.faults.clear(PUT)
    house.clock.advance(seconds=30)

    assert await house.told(deployment) == ["Succeeded"]
    assert (await reported(house, deployment))["outcome"] == "told"


async def test_a_permission_that_never_comes_is_given_up_after_the_hooks_hour(house: House) -> None:
    house.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)
    await house.until(lambda: last_error(house) == "AccessDeniedException")

    house.clock.advance(minutes=66)

    gate = await reported(house, deployment)
    assert (gate["outcome"], gate["outcome_detail"]) == ("undeliverable", "AccessDeniedException")
    await house.until(lambda: "could not be told" in house.says(deployment))
    assert house.aws.answers(deployment) == []


async def test_an_execution_id_that_codedeploy_does_not_know_is_final(house: House) -> None:
    deployment, _ = await house.ask("order")
    await outsiders.alters(house, "UPDATE gates SET execution_id = 'not-this-one'")
    before = reports("undeliverable")
    await house.approve(MINA.id, deployment)

    gate = await reported(house, deployment)
    assert (gate["outcome"], gate["outcome_detail"]) == (
        "undeliverable",
        "InvalidLifecycleEventHookExecutionIdException",
    )
    await house.until(lambda: "could not be told" in house.says(deployment))
    assert "report_undeliverable" in house.audit(deployment)
    assert reports("undeliverable") == before + 1
    assert len(house.aws.calls(PUT)) == 1


async def test_a_refusal_of_a_hook_that_is_over_is_looked_into(house: House) -> None:
    """Whichever error CodeDeploy has for it: what counts is what the lifecycle event shows."""
    deployment, _ = await house.ask("order")
    await outsiders.alters(house, "UPDATE gates SET execution_id = 'not-this-one'")
    house.aws.stop_deployment(deployment, rollback=False)
    await house.approve(MINA.id, deployment)

    gate = await reported(house, deployment)
    assert (gate["outcome"], gate["outcome_detail"]) == ("contradicted", "Failed")


async def test_a_deployment_that_codedeploy_does_not_know_is_final(house: House) -> None:
    deployment, _ = await house.ask("order")
    await outsiders.alters(house, "UPDATE switches SET deployment_id = 'd-ELSEWHERE'")
    await house.approve(MINA.id, deployment)

    await house.until(lambda: house.rows("SELECT 1 FROM gates WHERE outcome = 'undeliverable'"))
    await house.until(lambda: "report_undeliverable" in house.audit("d-ELSEWHERE"))
    assert house.aws.answers(deployment) == []


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
async def test_the_same_answer_given_by_somebody_else_is_success(house: House, status: str) -> None:
    deployment, _ = await house.ask("order")
    for read in ("GetDeployment", "BatchGetDeployments"):  # or the watcher may find out before the press
        house.aws.faults.add(read, "throttle", times=None)
    await outsiders.answers(house, deployment, status)
    if status == "Succeeded":
        await house.approve(GRACE.id, deployment)
    else:
        await house.reject(GRACE.id, deployment, "broken")

    assert (await reported(house, deployment))["outcome"] == "told"
    assert house.aws.answers(deployment) == [status]


async def test_another_answer_given_by_somebody_else_is_shown_everywhere(house: House) -> None:
    deployment, _ = await house.ask("order")
    await outsiders.answers(house, deployment, "Succeeded")
    before = reports("contradicted")
    await house.reject(GRACE.id, deployment, "broken")

    gate = await reported(house, deployment)
    assert (gate["verdict"], gate["outcome"], gate["outcome_detail"]) == (
        "rejected",
        "contradicted",
        "Succeeded",
    )
    await house.until(lambda: "holds another answer: Succeeded" in house.says(deployment))
    assert "report_contradicted" in house.audit(deployment)
    assert reports("contradicted") == before + 1


async def test_an_answer_that_cannot_be_seen_yet_is_looked_for_again(house: House) -> None:
    """CodeDeploy's reads lag behind its writes: *already completed* and *in progress* at once is only early."""
    house.aws.faults.delay_endings(2)
    house.aws.faults.add(PUT, "drop_after_commit")
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)

    assert (await reported(house, deployment))["outcome"] == "told"
    assert house.aws.answers(deployment) == ["Succeeded"]
    assert len(house.aws.calls(PUT)) > 2


def last_error(house: House) -> object:
    return house.rows("SELECT last_error FROM reports")[0]["last_error"]
