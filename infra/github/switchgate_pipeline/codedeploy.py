"""The calls to ECS and CodeDeploy. This module and its IAM policy (`../role.yaml`) are compared by a test."""

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from switchgate_pipeline.failures import GroupBusy, PipelineFailure

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_ecs import ECSClient

RETRIES: Final = Config(retries={"mode": "standard", "total_max_attempts": 5})
ONCE: Final = Config(retries={"mode": "standard", "total_max_attempts": 1})
"""For what must not happen twice: CodeDeploy and ECS know no idempotency token for it."""

MAX_DESCRIPTION_CHARS: Final = 256
NOT_STARTED: Final = "DeploymentNotStartedException"
BUSY: Final = "DeploymentLimitExceededException"
DEPLOYMENT_ID: Final = re.compile(r"d-[A-Z0-9]{9}")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What CodeDeploy says of a deployment. `events` are the lifecycle events of its one target, by name."""

    info: dict[str, Any]
    events: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return str(self.info.get("status", ""))

    def event_status(self, name: str) -> str:
        return str(self.events.get(name, {}).get("status", ""))


class Aws:
    """One account and region: that of the credentials."""

    def __init__(self) -> None:
        session = boto3.session.Session()
        try:
            self._codedeploy = cast("CodeDeployClient", session.client("codedeploy", config=RETRIES))
            self._codedeploy_once = cast("CodeDeployClient", session.client("codedeploy", config=ONCE))
            self._ecs_once = cast("ECSClient", session.client("ecs", config=ONCE))
        except (BotoCoreError, ValueError) as exc:
            raise PipelineFailure("No AWS region", f"boto3 could not start: {type(exc).__name__}.") from None

    def register(self, definition: dict[str, Any], tags: list[dict[str, str]]) -> str:
        """RegisterTaskDefinition, once; gives the ARN."""
        try:
            answer = self._ecs_once.register_task_definition(**definition, tags=cast("Any", tags))
        except (ClientError, BotoCoreError) as exc:
            raise _failure("The task definition was not registered", exc) from None
        return answer["taskDefinition"]["taskDefinitionArn"]

    def create(self, *, application: str, group: str, appspec: str, config: str, description: str) -> str:
        """CreateDeployment, once; gives the id. Raises `GroupBusy`."""
        content = {"content": appspec, "sha256": sha256(appspec.encode()).hexdigest()}
        more = {"deploymentConfigName": config} if config else {}
        try:
            answer = self._codedeploy_once.create_deployment(
                applicationName=application,
                deploymentGroupName=group,
                revision={"revisionType": "AppSpecContent", "appSpecContent": cast("Any", content)},
                description=description[:MAX_DESCRIPTION_CHARS],
                **cast("Any", more),
            )
        except (ClientError, BotoCoreError) as exc:
            if isinstance(exc, ClientError) and exc.response["Error"]["Code"] == BUSY:
                active = DEPLOYMENT_ID.search(exc.response["Error"]["Message"])
                raise GroupBusy(active[0] if active else None) from None
            raise _failure("The deployment was not created", exc) from None
        return answer["deploymentId"]

    def read(self, deployment: str) -> Deployment:
        """GetDeployment and its target's lifecycle events."""
        try:
            info = self._codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
            return Deployment(cast("dict[str, Any]", info), self._events(deployment))
        except (ClientError, BotoCoreError) as exc:
            raise _failure("The deployment could not be read", exc) from None

    def traffic_minutes(self, config: str) -> float:
        """GetDeploymentConfig: how long it takes until all traffic is on green."""
        try:
            found = self._codedeploy.get_deployment_config(deploymentConfigName=config)
        except (ClientError, BotoCoreError) as exc:
            raise _failure("The deployment configuration could not be read", exc) from None
        routing = found["deploymentConfigInfo"].get("trafficRoutingConfig", {})
        canary, linear = routing.get("timeBasedCanary", {}), routing.get("timeBasedLinear", {})
        if routing.get("type") == "TimeBasedCanary":
            return float(canary.get("canaryInterval", 0))
        if routing.get("type") == "TimeBasedLinear":
            steps = -(-100 // max(linear.get("linearPercentage", 100), 1)) - 1
            return float(steps * linear.get("linearInterval", 0))
        return 0.0

    def _events(self, deployment: str) -> dict[str, dict[str, Any]]:
        try:
            targets = self._codedeploy.list_deployment_targets(deploymentId=deployment).get("targetIds", [])
        except ClientError as exc:
            if exc.response["Error"]["Code"] == NOT_STARTED:
                return {}
            raise
        if not targets:
            return {}
        found = self._codedeploy.get_deployment_target(deploymentId=deployment, targetId=targets[0])
        ecs = cast("dict[str, Any]", found.get("deploymentTarget", {}).get("ecsTarget", {}))
        return {event["lifecycleEventName"]: event for event in ecs.get("lifecycleEvents", [])}


def appspec_of(*, task_definition: str, container: str, port: int, hook: str) -> str:
    """The AppSpec, with Switchgate's hook before production traffic."""
    service = {
        "Type": "AWS::ECS::Service",
        "Properties": {
            "TaskDefinition": task_definition,
            "LoadBalancerInfo": {"ContainerName": container, "ContainerPort": port},
        },
    }
    spec = {
        "version": 0.0,
        "Resources": [{"TargetService": service}],
        "Hooks": [{"BeforeAllowTraffic": hook}],
    }
    return json.dumps(spec)


def _failure(title: str, exc: ClientError | BotoCoreError) -> PipelineFailure:
    if isinstance(exc, ClientError):
        error = exc.response["Error"]
        return PipelineFailure(title, f"{exc.operation_name}: {error['Code']}: {error['Message']}")
    return PipelineFailure(title, f"{type(exc).__name__}: {exc}")
