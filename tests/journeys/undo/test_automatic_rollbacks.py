"""An automatic rollback is approved within ten seconds, even if other services are down or data is missing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.sandbox.aws.faults import Kind
from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import CHANNEL
from tests.flow.lifecycle.test_unverified import codedeploy_away
from tests.harness import Harness, running_harness
from tests.postgres_line import line_to

WITHIN = 10.0
"""Seconds. The tests' own time-outs are longer, to distinguish a slow machine from a wrong answer."""


@asynccontextmanager
async def within_ten_seconds() -> AsyncIterator[None]:
    clock = asyncio.get_running_loop().time
    began = clock()
    yield
    assert clock() - began < WITHIN


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
async def test_it_passes_while_the_service_cannot_be_reached(harness: Harness, creator: str) -> None:
    harness.fakes.service_urls = ["http://127.0.0.1:9"]
    async with within_ten_seconds():
        deployment = harness.aws.deploy("order", creator=creator)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_it_passes_while_the_service_has_no_database(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with line_to(database_url) as line, running_harness(tmp_path, line.url, monkeypatch) as harness:
        harness.database_url = database_url  # the test itself reads the database directly
        await line.cut()
        async with within_ten_seconds():
            deployment = harness.aws.deploy("order", creator="codeDeployRollback")
            assert await harness.reported(deployment) == ["Succeeded"]
        await line.mend()


@pytest.mark.parametrize("platform", ["ECS", "Lambda", None])
@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
async def test_it_passes_although_the_configuration_does_not_name_its_group(
    harness: Harness, creator: str, platform: str | None
) -> None:
    harness.aws.add_domain(SandboxDomain("stranger", 7000, compute_platform=platform))
    async with within_ten_seconds():
        deployment = harness.aws.deploy("stranger", creator=creator)
        assert await harness.reported(deployment) == ["Succeeded"]

    gate = harness.gate(deployment)
    assert (gate["verdict"], gate["basis"], gate["domain"]) == ("approved", "auto_rollback", None)
    assert harness.audit(deployment)[:2] == ["gate_opened", "gate_decided"]
    (opened,) = harness.rows("SELECT detail FROM audit_events WHERE kind = 'gate_opened'")
    assert opened["detail"]["group"] == "klp-logistics-stranger-app/klp-logistics-stranger-dg"
    await harness.until(lambda: "Rollbacks don't need approval" in harness.card_text(deployment))
    assert "klp-logistics-stranger-app/klp-logistics-stranger-dg" in harness.card_text(deployment)
    assert harness.card(deployment).channel == CHANNEL.id
    assert harness.actions(deployment) & {"approve", "reject"} == set()


async def test_a_group_that_left_the_configuration_does_not_hold_it(harness: Harness) -> None:
    """It is known for a rollback only after the hook: CodeDeploy could not be asked before."""
    harness.aws.add_domain(SandboxDomain("stranger", 7000))
    codedeploy_away(harness)
    deployment = await harness.deploy("stranger", creator="codeDeployRollback")
    await harness.until(lambda: harness.find_card(deployment))
    assert harness.gate(deployment)["phase"] == "awaiting"
    harness.aws.faults.clear()
    harness.clock.advance(seconds=30)
    assert await harness.reported(deployment) == ["Succeeded"]


@pytest.mark.parametrize("read", ["GetDeploymentTarget", "ListDeploymentTargets"])
@pytest.mark.parametrize("fault", ["throttle", "access_denied", "unavailable", "drop"])
async def test_it_passes_while_its_target_cannot_be_read(harness: Harness, read: str, fault: Kind) -> None:
    harness.aws.faults.add(read, fault, times=None)
    async with within_ten_seconds():
        deployment = harness.aws.deploy("order", creator="codeDeployRollback")
        assert await harness.reported(deployment) == ["Succeeded"]


@pytest.mark.parametrize("fault", ["throttle", "access_denied"])
async def test_it_passes_once_the_deployment_can_be_read_though_its_target_cannot(
    harness: Harness, fault: Kind
) -> None:
    """The look that verifies it uses what it has read."""
    harness.aws.faults.add("GetDeploymentTarget", fault, times=None)
    harness.aws.faults.add("GetDeployment", "throttle", times=2)  # the SDK's two tries, when the hook comes
    async with within_ten_seconds():
        deployment = harness.aws.deploy("order", creator="codeDeployRollback")
        await harness.until(lambda: harness.rows("SELECT 1 FROM gates"))
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_one_that_is_followed_passes_while_codedeploy_cannot_be_asked(harness: Harness) -> None:
    """CodeDeploy named it as the rollback of a switch that we followed: the record knows it."""
    harness.aws.faults.lose_hooks(0)
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.lose_hooks()  # the rollback's own, for now
    harness.aws.stop_deployment(deployment)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None
    harness.clock.advance(minutes=1)
    known = "SELECT 1 FROM switches WHERE deployment_id = %s AND verified_at IS NOT NULL"
    await harness.until(lambda: harness.rows(known, rollback))
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).waits_for is not None)

    codedeploy_away(harness)
    async with within_ten_seconds():
        harness.aws.redeliver_hook(rollback)
        assert await harness.reported(rollback) == ["Succeeded"]


async def test_it_passes_although_its_first_reads_do_not_find_it(harness: Harness) -> None:
    harness.aws.faults.delay_deployments(2)
    async with within_ten_seconds():
        deployment = harness.aws.deploy("order", creator="codeDeployRollback")
        assert await harness.reported(deployment) == ["Succeeded"]
