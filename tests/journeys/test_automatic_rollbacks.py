"""An automatic rollback passes within ten seconds, whatever is away or unknown around it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.sandbox.aws.faults import Kind
from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import CHANNEL
from tests.flow.test_unverified import codedeploy_away
from tests.house import House, living_house
from tests.postgres_line import line_to

WITHIN = 10.0
"""Seconds. The waits of the tests themselves are longer, so that a slow machine is told apart from a wrong answer."""


@asynccontextmanager
async def within_ten_seconds() -> AsyncIterator[None]:
    clock = asyncio.get_running_loop().time
    began = clock()
    yield
    assert clock() - began < WITHIN


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
async def test_it_passes_while_the_service_cannot_be_reached(house: House, creator: str) -> None:
    house.stage.service_urls = ["http://127.0.0.1:9"]
    async with within_ten_seconds():
        deployment = house.aws.deploy("order", creator=creator)
        assert await house.told(deployment) == ["Succeeded"]


async def test_it_passes_while_the_service_has_no_database(
    tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with line_to(record_url) as line, living_house(tmp_path, line.url, monkeypatch) as house:
        house.database_url = record_url  # the test itself looks past the line
        await line.cut()
        async with within_ten_seconds():
            deployment = house.aws.deploy("order", creator="codeDeployRollback")
            assert await house.told(deployment) == ["Succeeded"]
        await line.mend()


@pytest.mark.parametrize("platform", ["ECS", "Lambda", None])
@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
async def test_it_passes_although_the_configuration_does_not_name_its_group(
    house: House, creator: str, platform: str | None
) -> None:
    house.aws.add_domain(SandboxDomain("stranger", 7000, compute_platform=platform))
    async with within_ten_seconds():
        deployment = house.aws.deploy("stranger", creator=creator)
        assert await house.told(deployment) == ["Succeeded"]

    gate = house.gate(deployment)
    assert (gate["verdict"], gate["basis"], gate["domain"]) == ("approved", "rescue", None)
    assert house.audit(deployment)[:2] == ["gate_opened", "gate_decided"]
    (opened,) = house.rows("SELECT detail FROM audit_events WHERE kind = 'gate_opened'")
    assert opened["detail"]["group"] == "klp-logistics-stranger-app/klp-logistics-stranger-dg"
    await house.until(lambda: "rescue is never held" in house.says(deployment))
    assert "klp-logistics-stranger-app/klp-logistics-stranger-dg" in house.says(deployment)
    assert house.card(deployment).channel == CHANNEL.id
    assert house.actions(deployment) & {"approve", "reject"} == set()


async def test_a_group_that_left_the_configuration_does_not_hold_it(house: House) -> None:
    """It is known for a rollback only after the hook: CodeDeploy could not be asked before."""
    house.aws.add_domain(SandboxDomain("stranger", 7000))
    codedeploy_away(house)
    deployment = await house.deploy("stranger", creator="codeDeployRollback")
    await house.until(lambda: house.find_card(deployment))
    assert house.gate(deployment)["phase"] == "awaiting"
    house.aws.faults.clear()
    house.clock.advance(seconds=30)
    assert await house.told(deployment) == ["Succeeded"]


@pytest.mark.parametrize("read", ["GetDeploymentTarget", "ListDeploymentTargets"])
@pytest.mark.parametrize("fault", ["throttle", "access_denied", "unavailable", "drop"])
async def test_it_passes_while_its_target_cannot_be_read(house: House, read: str, fault: Kind) -> None:
    house.aws.faults.add(read, fault, times=None)
    async with within_ten_seconds():
        deployment = house.aws.deploy("order", creator="codeDeployRollback")
        assert await house.told(deployment) == ["Succeeded"]


@pytest.mark.parametrize("fault", ["throttle", "access_denied"])
async def test_it_passes_once_the_deployment_can_be_read_though_its_target_cannot(
    house: House, fault: Kind
) -> None:
    """The look that verifies it uses what it has read."""
    house.aws.faults.add("GetDeploymentTarget", fault, times=None)
    house.aws.faults.add("GetDeployment", "throttle", times=2)  # the SDK's two tries, when the hook comes
    async with within_ten_seconds():
        deployment = house.aws.deploy("order", creator="codeDeployRollback")
        await house.until(lambda: house.rows("SELECT 1 FROM gates"))
        assert await house.told(deployment) == ["Succeeded"]


async def test_one_that_is_followed_passes_while_codedeploy_cannot_be_asked(house: House) -> None:
    """CodeDeploy named it as the rollback of a switch that we followed: the record knows it."""
    house.aws.faults.lose_hooks(0)
    deployment, _ = await house.ask("order")
    house.aws.faults.lose_hooks()  # the rollback's own, for now
    house.aws.stop_deployment(deployment)
    house.aws.play_until(lambda: house.aws.deployment(deployment).rollback_id is not None)
    rollback = house.aws.deployment(deployment).rollback_id
    assert rollback is not None
    house.clock.advance(minutes=1)
    known = "SELECT 1 FROM switches WHERE deployment_id = %s AND verified_at IS NOT NULL"
    await house.until(lambda: house.rows(known, rollback))
    house.aws.play_until(lambda: house.aws.deployment(rollback).waits_for is not None)

    codedeploy_away(house)
    async with within_ten_seconds():
        house.aws.redeliver_hook(rollback)
        assert await house.told(rollback) == ["Succeeded"]


async def test_it_passes_although_its_first_reads_do_not_find_it(house: House) -> None:
    house.aws.faults.delay_deployments(2)
    async with within_ten_seconds():
        deployment = house.aws.deploy("order", creator="codeDeployRollback")
        assert await house.told(deployment) == ["Succeeded"]
