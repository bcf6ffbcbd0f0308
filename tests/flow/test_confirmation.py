"""What CodeDeploy must have said before a gate is asked about: its answers may lag, or leave things out."""

import pytest

from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import MINA
from tests.house import House
from tests.web.hooks.doorstep import at_the_door, hook


async def test_a_young_deployment_that_is_not_found_at_first_is_asked_for_again(house: House) -> None:
    house.aws.faults.delay_deployments(2)
    deployment, _ = await house.ask("order")
    assert "hook_refused" not in house.audit(deployment)


async def test_one_that_is_still_not_found_is_refused(house: House) -> None:
    async with at_the_door(house) as door:
        answer = await door.knock(hook("d-NOBODY000"))
    assert (answer.status, answer.body["error"]) == (422, "not_ours")
    assert house.audit("d-NOBODY000") == ["hook_refused"]
    assert len(house.aws.calls("GetDeployment")) >= 3


async def test_a_look_that_does_not_find_a_young_switch_looks_again(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.hide_deployment(deployment, reads=4)
    house.clock.advance(seconds=30)
    await house.until(lambda: "DeploymentDoesNotExistException" in outcomes(house, "GetDeployment"))
    await house.until(lambda: outcomes(house, "GetDeployment")[-1] == "ok")
    assert house.gate(deployment)["phase"] == "awaiting"
    house.clock.advance(seconds=30)
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


@pytest.mark.parametrize("platform", ["Lambda", "Server"])
async def test_a_deployment_of_another_platform_is_refused(house: House, platform: str) -> None:
    order = replaced(house, compute_platform=platform)
    deployment = house.aws.deploy(order)
    assert await house.told(deployment) == ["Failed"]
    assert house.audit(deployment) == ["hook_refused"]


@pytest.mark.parametrize("target_type", ["LambdaTarget", "InstanceTarget"])
async def test_without_a_platform_the_targets_type_refuses(house: House, target_type: str) -> None:
    order = replaced(house, compute_platform=None, target_type=target_type)
    deployment = house.aws.deploy(order)
    assert await house.told(deployment) == ["Failed"]
    assert house.audit(deployment) == ["hook_refused"]


@pytest.mark.parametrize("target_type", ["ECSTarget", None])
async def test_without_a_platform_the_targets_type_confirms(house: House, target_type: str | None) -> None:
    """`computePlatform` is optional in CodeDeploy's model, as every member of `deploymentInfo` is."""
    order = replaced(house, compute_platform=None, target_type=target_type)
    deployment, _ = await house.ask(order)
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_while_neither_tells_the_platform_the_gate_waits_unconfirmed(house: House) -> None:
    order = replaced(house, compute_platform=None)
    house.aws.faults.add("GetDeploymentTarget", "throttle", times=None)
    deployment = await house.deploy(order)
    await house.until(lambda: house.find_card(deployment))
    assert house.actions(deployment) & {"approve", "reject"} == set()
    house.aws.faults.clear()
    house.clock.advance(seconds=30)
    await house.until(lambda: "approve" in house.actions(deployment))


@pytest.mark.parametrize("read", ["GetDeploymentTarget", "ListDeploymentTargets"])
async def test_what_was_read_is_used_where_the_target_cannot_be_read(house: House, read: str) -> None:
    house.aws.faults.add(read, "access_denied", times=None)
    deployment, _ = await house.ask("order")
    assert house.gate(deployment)["domain"] == "order"
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


def outcomes(house: House, op: str) -> list[str]:
    return [call.outcome for call in house.aws.calls(op)]


def replaced(house: House, **how: str | None) -> str:
    """A configured domain whose deployments CodeDeploy describes otherwise."""
    fields = {name: getattr(domain_of(house, "order"), name) for name in ("application", "deployment_group")}
    house.aws.replace_domain(SandboxDomain("order", 8020, **fields, **how))  # type: ignore[arg-type]  # how: two of its fields
    return "order"


def domain_of(house: House, name: str) -> SandboxDomain:
    return next(domain for domain in house.aws.domains() if domain.name == name)
