"""boto3 blocks its thread: what hangs must not stand in the way of what matters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import boto3
import pytest

from app.aws.codedeploy import THREADS, CodeDeploy
from app.flow.ports.codedeploy import AnswerRefused, CodeDeployUnavailable, Target
from app.gate.decision import Answer
from app.gate.ids import DeploymentId, ExecutionId, SwitchKey
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import ACCOUNT, REGION


@pytest.fixture
async def aws(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AwsStandIn]:
    with AwsStandIn(invoke_hook=lambda event: None, speed=0, seed=3) as stand_in:
        for name, value in stand_in.environment().items():
            monkeypatch.setenv(name, value)
        yield stand_in


async def test_reads_that_hang_hold_up_no_answer(aws: AwsStandIn) -> None:
    codedeploy = CodeDeploy(boto3.session.Session(), region=REGION)
    key = SwitchKey(account=ACCOUNT, region=REGION, deployment=DeploymentId(aws.deploy("order")))
    codedeploy.warm_up()
    aws.faults.slow("ListDeploymentTargets", 2500)
    reads = [asyncio.create_task(codedeploy.target(key)) for _ in range(2 * THREADS)]
    await asyncio.sleep(0)

    with suppress(AnswerRefused):
        await codedeploy.answer(key, execution_id=ExecutionId("nobody's"), answer=Answer.FAILED)

    assert not any(read.done() for read in reads)
    aws.faults.clear()
    ends = await asyncio.gather(*reads, return_exceptions=True)
    assert all(isinstance(end, Target | CodeDeployUnavailable) for end in ends)
    codedeploy.close()
