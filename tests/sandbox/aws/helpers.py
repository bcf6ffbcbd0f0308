"""Helpers: a Lambda function that records its events, and boto3 clients of a stand-in."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import REGION

if TYPE_CHECKING:
    from types_boto3_cloudwatch.client import CloudWatchClient
    from types_boto3_codedeploy.client import CodeDeployClient
    from types_boto3_ecs.client import ECSClient
    from types_boto3_elbv2.client import ElasticLoadBalancingv2Client

GATE = "BeforeAllowTraffic"
CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"
LINEAR = "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"


@dataclass
class Lambda:
    """Records the events it was called with; raises `crash` if set."""

    events: list[dict[str, str]] = field(default_factory=list)
    crash: Exception | None = None
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, event: dict[str, str]) -> None:
        with self._lock:
            self.events.append(event)
        if self.crash is not None:
            raise self.crash

    def of(self, deployment_id: str) -> list[str]:
        """The execution ids it got for a deployment."""
        with self._lock:
            return [
                event["LifecycleEventHookExecutionId"]
                for event in self.events
                if event["DeploymentId"] == deployment_id
            ]


@cache
def session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="AKIATEST", aws_secret_access_key="test", region_name=REGION)


@dataclass
class Boto:
    """Unchanged boto3, which tries once by default."""

    url: str
    _open: contextlib.ExitStack

    def config(self, *, attempts: int = 1, read_timeout: float = 5) -> Config:
        return Config(retries={"mode": "standard", "total_max_attempts": attempts}, read_timeout=read_timeout)

    def codedeploy(self, *, attempts: int = 1, read_timeout: float = 5) -> "CodeDeployClient":
        config = self.config(attempts=attempts, read_timeout=read_timeout)
        client: CodeDeployClient = session().client("codedeploy", endpoint_url=self.url, config=config)
        self._open.callback(client.close)
        return client

    def ecs(self) -> "ECSClient":
        client: ECSClient = session().client("ecs", endpoint_url=self.url, config=self.config())
        self._open.callback(client.close)
        return client

    def elbv2(self) -> "ElasticLoadBalancingv2Client":
        client: ElasticLoadBalancingv2Client = session().client(
            "elbv2", endpoint_url=self.url, config=self.config()
        )
        self._open.callback(client.close)
        return client

    def cloudwatch(self) -> "CloudWatchClient":
        client: CloudWatchClient = session().client("cloudwatch", endpoint_url=self.url, config=self.config())
        self._open.callback(client.close)
        return client


@contextlib.contextmanager
def boto(aws: AwsStandIn) -> Iterator[Boto]:
    with contextlib.ExitStack() as stack:
        yield Boto(aws.url, stack)


def reach_gate(aws: AwsStandIn, hook: Lambda, deployment_id: str, *, gate: str = GATE) -> str:
    """Advances a deployment to its pending hook; returns the execution id that the function was called with."""
    aws.advance_until(lambda: aws.deployment(deployment_id).waits_for == gate)
    before = [call for call in aws.hook_calls(deployment_id) if call.outcome != "lost"]
    aws.wait_until(lambda: len(hook.of(deployment_id)) == len(before))
    return hook.of(deployment_id)[-1]


def answer(codedeploy: "CodeDeployClient", deployment_id: str, execution_id: str, status: str) -> None:
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=deployment_id,
        lifecycleEventHookExecutionId=execution_id,
        status=status,  # type: ignore[arg-type]  # also what the API refuses
    )


def approve(aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda, deployment_id: str) -> None:
    """Advances a deployment to its gate and answers Succeeded."""
    answer(codedeploy, deployment_id, reach_gate(aws, hook, deployment_id), "Succeeded")


def finish(aws: AwsStandIn, deployment_id: str) -> None:
    aws.advance_until(lambda: aws.deployment(deployment_id).over)


def rollback_of(aws: AwsStandIn, deployment_id: str) -> str:
    """The id of the rollback that CodeDeploy made of it."""
    found = aws.deployment(deployment_id).rollback_id
    if found is None:
        raise AssertionError(f"{deployment_id} is not rolled back")
    return found


def event_statuses(aws: AwsStandIn, deployment_id: str) -> dict[str, str]:
    return {event.name: event.status for event in aws.deployment(deployment_id).events}
