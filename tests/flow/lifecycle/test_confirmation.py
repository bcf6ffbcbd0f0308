"""What CodeDeploy must have said before a gate is asked about: its answers may lag, or leave things out."""

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import MINA
from tests.harness import Harness
from tests.web.hooks.hook_sender import hook, hook_sender


async def test_a_young_deployment_that_is_not_found_at_first_is_asked_for_again(harness: Harness) -> None:
    harness.aws.faults.delay_deployments(2)
    deployment, _ = await harness.open_gate("order")
    assert "hook_refused" not in harness.audit(deployment)


async def test_one_that_is_still_not_found_is_refused(harness: Harness) -> None:
    async with hook_sender(harness) as sender:
        answer = await sender.send_hook(hook("d-NOBODY000"))
    assert (answer.status, answer.body["error"]) == (422, "not_ours")
    assert harness.audit("d-NOBODY000") == ["hook_refused"]
    assert len(harness.aws.calls("GetDeployment")) >= 3


async def test_a_poll_that_does_not_find_a_new_deployment_polls_again(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.hide_deployment(deployment, reads=4)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "DeploymentDoesNotExistException" in outcomes(harness, "GetDeployment"))
    await harness.until(lambda: outcomes(harness, "GetDeployment")[-1] == "ok")
    assert harness.gate(deployment)["phase"] == "awaiting"
    harness.clock.advance(seconds=30)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


@pytest.mark.parametrize("platform", ["Lambda", "Server"])
async def test_a_deployment_of_another_platform_is_refused(harness: Harness, platform: str) -> None:
    order = replaced(harness, compute_platform=platform)
    deployment = harness.aws.deploy(order)
    assert await harness.reported(deployment) == ["Failed"]
    assert harness.audit(deployment) == ["hook_refused"]


@pytest.mark.parametrize("target_type", ["LambdaTarget", "InstanceTarget"])
async def test_without_a_platform_the_targets_type_refuses(harness: Harness, target_type: str) -> None:
    order = replaced(harness, compute_platform=None, target_type=target_type)
    deployment = harness.aws.deploy(order)
    assert await harness.reported(deployment) == ["Failed"]
    assert harness.audit(deployment) == ["hook_refused"]


@pytest.mark.parametrize("target_type", ["ECSTarget", None])
async def test_without_a_platform_the_targets_type_confirms(
    harness: Harness, target_type: str | None
) -> None:
    """`computePlatform` is optional in CodeDeploy's model, as every member of `deploymentInfo` is."""
    order = replaced(harness, compute_platform=None, target_type=target_type)
    deployment, _ = await harness.open_gate(order)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_while_neither_shows_the_platform_the_gate_waits_unconfirmed(harness: Harness) -> None:
    order = replaced(harness, compute_platform=None)
    harness.aws.faults.add("GetDeploymentTarget", "throttle", times=None)
    deployment = await harness.deploy(order)
    await harness.until(lambda: harness.find_card(deployment))
    assert harness.actions(deployment) & {"approve", "reject"} == set()
    harness.aws.faults.clear()
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "approve" in harness.actions(deployment))


@pytest.mark.parametrize("read", ["GetDeploymentTarget", "ListDeploymentTargets"])
async def test_what_was_read_is_used_where_the_target_cannot_be_read(harness: Harness, read: str) -> None:
    harness.aws.faults.add(read, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    assert harness.gate(deployment)["domain"] == "order"
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


def outcomes(harness: Harness, op: str) -> list[str]:
    return [call.outcome for call in harness.aws.calls(op)]


def replaced(harness: Harness, **how: str | None) -> str:
    """A configured domain whose deployments CodeDeploy describes otherwise."""
    fields = {
        name: getattr(domain_of(harness, "order"), name) for name in ("application", "deployment_group")
    }
    harness.aws.replace_domain(SandboxDomain("order", 8020, **fields, **how))  # type: ignore[arg-type]  # how: two of its fields
    return "order"


def domain_of(harness: Harness, name: str) -> SandboxDomain:
    return next(domain for domain in harness.aws.domains() if domain.name == name)
