"""Reads evidence from AWS, one part a call. A part that fails does not affect the others."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import boto3

from app.aws.appspec import content_in, digest_in, is_pinned, task_definition_in, without_content
from app.aws.deployment_groups import OVERRIDDEN, group_facts, target_facts, with_overrides
from app.aws.evidence_batches import EvidenceBatches
from app.aws.evidence_client import EvidenceClient
from app.aws.evidence_responses import health_of, listener_of, rules_of
from app.aws.task_definitions import reading_of
from app.flow.ports.evidence import EvidenceUnavailable, GroupFacts, ServiceName, TargetFacts
from app.gate.evidence.blue_green import TaskSet
from app.gate.evidence.model import Alarm, Listener, Missing, MissingReason, Targets
from app.gate.evidence.revision import RevisionReading
from app.gate.ids import SwitchKey

T = TypeVar("T")

SETTINGS_KEPT: Final = 2000


class AwsEvidence:
    """See `app.flow.ports.evidence.EvidenceSource`."""

    def __init__(self, session: boto3.session.Session, *, client_lock: threading.Lock) -> None:
        self._readers = EvidenceClient(session, client_lock=client_lock)
        self._settings: dict[SwitchKey, Mapping[str, Any]] = {}
        self._groups: dict[SwitchKey, GroupFacts] = {}
        self._batches = EvidenceBatches(self._readers)

    def warm_up(self, region: str) -> None:
        """Makes a region's clients before anybody waits for them."""
        self._readers.warm_up(region)

    def close(self, *, wait: bool = True) -> None:
        """Waits for calls under way, if asked to."""
        self._readers.close(wait=wait)

    async def group(self, key: SwitchKey, *, application: str, deployment_group: str) -> GroupFacts:
        """GetDeploymentGroup, and GetDeployment for what the deployment overrides of it."""

        def ask(client: Any) -> Mapping[str, Any]:
            answer = client.get_deployment_group(
                applicationName=application, deploymentGroupName=deployment_group
            )
            info: Mapping[str, Any] = answer["deploymentGroupInfo"]
            return info

        call = "codedeploy:GetDeploymentGroup"
        group, own = await asyncio.gather(
            self._readers.read("codedeploy", key.region, call, ask), self._own_settings(key)
        )
        return group_facts(with_overrides(group, own))

    async def settings(self, key: SwitchKey, *, application: str, deployment_group: str) -> GroupFacts:
        """As `group`, read once."""
        known = self._groups.get(key)
        if known is None:
            known = await self.group(key, application=application, deployment_group=deployment_group)
            if key in self._settings:  # else what the deployment overrides could not be read
                _keep(self._groups, key, known)
        return known

    async def _own_settings(self, key: SwitchKey) -> Mapping[str, Any]:
        """They never change, so they are read once; empty while they cannot be read."""
        known = self._settings.get(key)
        if known is not None:
            return known
        try:
            info: Mapping[str, Any] = await self._readers.read(
                "codedeploy",
                key.region,
                "codedeploy:GetDeployment",
                lambda client: client.get_deployment(deploymentId=key.deployment)["deploymentInfo"],
            )
        except EvidenceUnavailable:
            return {}
        own = {name: info.get(name) for name in (*OVERRIDDEN, "overrideAlarmConfiguration")}
        _keep(self._settings, key, own)
        return own

    async def target(self, key: SwitchKey) -> TargetFacts:
        """ListDeploymentTargets, then GetDeploymentTarget: an ECS deployment has one target, its service."""
        targets: list[str] = await self._readers.read(
            "codedeploy",
            key.region,
            "codedeploy:ListDeploymentTargets",
            lambda client: client.list_deployment_targets(deploymentId=key.deployment).get("targetIds") or [],
        )
        if not targets:
            raise EvidenceUnavailable(
                Missing(reason=MissingReason.ABSENT, call="codedeploy:ListDeploymentTargets")
            )

        def ask(client: Any) -> TargetFacts:
            answer = client.get_deployment_target(deploymentId=key.deployment, targetId=targets[0])
            return target_facts(answer["deploymentTarget"].get("ecsTarget") or {})

        return await self._readers.read("codedeploy", key.region, "codedeploy:GetDeploymentTarget", ask)

    async def task_sets(self, region: str, service: ServiceName) -> tuple[TaskSet, ...]:
        """DescribeServices"""

        return await self._batches.task_sets(region, service)

    async def named_task_definition(self, key: SwitchKey) -> str:
        """GetDeployment, then GetApplicationRevision: only that shows the content of an AppSpec."""

        def find(client: Any) -> tuple[str, Mapping[str, Any]]:
            info = client.get_deployment(deploymentId=key.deployment)["deploymentInfo"]
            return info["applicationName"], info.get("revision") or {}

        def ask(client: Any) -> str | None:
            found = client.get_application_revision(
                applicationName=application, revision=without_content(revision)
            )
            return content_in(found["revision"])

        application, revision = await self._readers.read(
            "codedeploy", key.region, "codedeploy:GetDeployment", find
        )
        call = "codedeploy:GetApplicationRevision"
        content = content_in(revision)
        if content is None and digest_in(revision) is not None:
            content = await self._readers.read("codedeploy", key.region, call, ask)
        named = task_definition_in(content or "")
        if named is None or not is_pinned(named):
            raise EvidenceUnavailable(Missing(reason=MissingReason.ABSENT, call=call))
        return named

    async def reading(self, region: str, task_definition: str) -> RevisionReading:
        """DescribeTaskDefinition, tags included where we may read them."""

        def ask(include: list[str], client: Any) -> RevisionReading:
            return reading_of(
                client.describe_task_definition(taskDefinition=task_definition, include=include)
            )

        call = "ecs:DescribeTaskDefinition"
        try:
            return await self._readers.read("ecs", region, call, partial(ask, ["TAGS"]))
        except EvidenceUnavailable as exc:
            if exc.missing.reason is not MissingReason.DENIED:
                raise
        return await self._readers.read("ecs", region, call, partial(ask, []))

    async def target_group_arns(self, region: str, names: Sequence[str]) -> Mapping[str, str]:
        """DescribeTargetGroups: CodeDeploy knows target groups by name only, health is asked by ARN."""

        def ask(client: Any) -> Mapping[str, str]:
            groups = client.describe_target_groups(Names=list(names)).get("TargetGroups") or []
            return {group["TargetGroupName"]: group["TargetGroupArn"] for group in groups}

        return await self._readers.read("elbv2", region, "elasticloadbalancing:DescribeTargetGroups", ask)

    async def health(self, region: str, target_group: str) -> tuple[Targets, ...]:
        """DescribeTargetHealth"""

        def ask(client: Any) -> tuple[Targets, ...]:
            return health_of(client.describe_target_health(TargetGroupArn=target_group))

        return await self._readers.read("elbv2", region, "elasticloadbalancing:DescribeTargetHealth", ask)

    async def listeners(self, region: str, arns: Sequence[str]) -> tuple[Listener, ...]:
        """DescribeListeners"""

        def ask(client: Any) -> tuple[Listener, ...]:
            found = client.describe_listeners(ListenerArns=list(arns)).get("Listeners") or []
            return tuple(listener_of(listener) for listener in found)

        return await self._readers.read("elbv2", region, "elasticloadbalancing:DescribeListeners", ask)

    async def listener_rules(self, region: str, listener: str) -> tuple[tuple[tuple[str, int], ...], ...]:
        """DescribeRules; the first page of it holds more than any listener of one domain."""

        def ask(client: Any) -> tuple[tuple[tuple[str, int], ...], ...]:
            return rules_of(client.describe_rules(ListenerArn=listener))

        return await self._readers.read("elbv2", region, "elasticloadbalancing:DescribeRules", ask)

    async def alarms(self, region: str, names: Sequence[str]) -> tuple[Alarm, ...]:
        """DescribeAlarms"""

        return await self._batches.alarms(region, names)


def _keep(kept: dict[SwitchKey, T], key: SwitchKey, value: T) -> None:
    while len(kept) >= SETTINGS_KEPT:
        kept.pop(next(iter(kept)), None)
    kept[key] = value
