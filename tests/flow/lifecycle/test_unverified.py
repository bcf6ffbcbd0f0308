"""CodeDeploy cannot be asked when the hook comes: the gate opens, but nobody can decide it and nothing is reported."""

from datetime import timedelta

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import MINA, OLU
from app.slack.action_value import ActionValue
from tests.harness import Harness

PUT = "PutLifecycleEventHookExecutionStatus"
READS = ("GetDeployment", "BatchGetDeployments")
FIRST_TRIES = timedelta(seconds=30)


def codedeploy_away(harness: Harness) -> None:
    for read in READS:
        harness.aws.faults.add(read, "access_denied", times=None)


def codedeploy_back(harness: Harness) -> None:
    for read in READS:
        harness.aws.faults.clear(read)
    harness.clock.advance(seconds=FIRST_TRIES.total_seconds())


async def opened(harness: Harness, domain: str = "order", **how: str) -> str:
    """A deployment whose gate is stored and whose card is posted."""
    deployment = await harness.deploy(domain, **how)
    await harness.until(lambda: harness.find_card(deployment) is not None)
    return deployment


async def test_the_card_offers_nothing_until_codedeploy_has_confirmed_it(harness: Harness) -> None:
    codedeploy_away(harness)
    deployment = await opened(harness)
    assert "CodeDeploy hasn't confirmed this deployment yet" in harness.card_text(deployment)
    assert harness.actions(deployment) & {"approve", "reject"} == set()

    codedeploy_back(harness)
    await harness.until(lambda: "approve" in harness.actions(deployment))
    assert harness.gate(deployment)["domain"] == "order"
    assert harness.audit(deployment)[0] == "gate_opened"
    assert "gate_verified" in harness.audit(deployment)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_forged_press_on_an_unconfirmed_gate_does_not_count(harness: Harness) -> None:
    other, _ = await harness.open_gate("payment")
    codedeploy_away(harness)
    deployment = await opened(harness)
    gate = harness.gate(deployment)
    action_value = str(ActionValue(gate=gate["id"], prompt_version=gate["prompt_version"]))

    await harness.press(OLU.id, other, "approve", value=action_value)

    await harness.until(lambda: "hasn't confirmed this deployment yet" in harness.ephemerals(OLU.id))
    assert harness.gate(deployment)["phase"] == "awaiting"
    assert harness.gate(other)["phase"] == "awaiting"
    assert harness.aws.calls(PUT) == []


async def test_what_turns_out_not_to_be_ours_is_withdrawn_once_and_never_reported(harness: Harness) -> None:
    harness.aws.add_domain(SandboxDomain("stranger", 7000))
    codedeploy_away(harness)
    deployment = await opened(harness, "stranger")

    codedeploy_back(harness)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    assert harness.gate(deployment)["verdict"] == "withdrawn"
    assert "not a configured domain" in harness.gate(deployment)["reason"]
    await harness.until(lambda: "not a configured domain" in harness.card_text(deployment))
    assert "doesn't list this as a running deployment" in harness.card_text(deployment)
    assert "ended by itself" not in harness.card_text(deployment)

    (switch,) = harness.rows("SELECT due_at, end_reason FROM switches")
    assert switch["due_at"] is None
    assert harness.audit(deployment).count("switch_ended") == 1
    assert harness.aws.calls(PUT) == []


async def test_one_that_expires_unconfirmed_is_told_only_once_it_is_confirmed(harness: Harness) -> None:
    codedeploy_away(harness)
    deployment = await opened(harness)
    harness.clock.advance(minutes=55)
    await harness.until(lambda: harness.gate(deployment)["verdict"] == "expired")
    assert harness.rows("SELECT due_at FROM reports") == [{"due_at": None}]
    assert harness.aws.calls(PUT) == []

    codedeploy_back(harness)
    assert await harness.reported(deployment) == ["Failed"]
    await harness.until(lambda: harness.gate(deployment)["outcome"] == "acknowledged")


async def test_one_that_expires_unconfirmed_and_is_not_ours_is_never_told(harness: Harness) -> None:
    harness.aws.add_domain(SandboxDomain("stranger", 7000))
    codedeploy_away(harness)
    deployment = await opened(harness, "stranger")
    harness.clock.advance(minutes=55)
    await harness.until(lambda: harness.gate(deployment)["verdict"] == "expired")

    codedeploy_back(harness)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    assert harness.gate(deployment)["outcome"] == "undeliverable"
    assert "report_undeliverable" in harness.audit(deployment)
    assert harness.aws.calls(PUT) == []


async def test_one_that_ended_before_it_was_confirmed_is_closed(harness: Harness) -> None:
    codedeploy_away(harness)
    deployment = await opened(harness)
    harness.aws.stop_deployment(deployment, rollback=False)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)

    codedeploy_back(harness)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    assert harness.gate(deployment)["verdict"] == "withdrawn"
    assert harness.aws.calls(PUT) == []


async def test_an_auto_rollback_passes_as_soon_as_it_is_recognised(harness: Harness) -> None:
    codedeploy_away(harness)
    deployment = await opened(harness, creator="codeDeployRollback")
    assert harness.gate(deployment)["phase"] == "awaiting"

    codedeploy_back(harness)
    assert await harness.reported(deployment) == ["Succeeded"]
    assert harness.gate(deployment)["basis"] == "auto_rollback"
