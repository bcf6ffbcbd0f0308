"""Deployments as CodeDeploy's API describes them. Times are seconds since the epoch."""

from typing import Any

from app.sandbox.aws.deployments.group_shapes import (
    auto_rollback,
    blue_green,
    deployment_style,
    load_balancer_info,
)
from app.sandbox.aws.state.deployment import Deployment, LifecycleEvent
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.task_set import TaskSet


def deployment_info(group: Group, deployment: Deployment) -> dict[str, Any]:
    """`deploymentInfo` of GetDeployment."""
    domain = group.domain
    info: dict[str, Any] = {
        "applicationName": domain.application,
        "deploymentGroupName": domain.deployment_group,
        "deploymentConfigName": deployment.config.name,
        "deploymentId": deployment.id,
        "revision": deployment.revision.location,
        "status": deployment.status,
        "createTime": deployment.created_at,
        "deploymentOverview": _overview(deployment),
        "creator": deployment.creator,
        "ignoreApplicationStopFailures": False,
        "autoRollbackConfiguration": auto_rollback(deployment.settings),
        "updateOutdatedInstancesOnly": False,
        "deploymentStyle": deployment_style(group.domain),
        "instanceTerminationWaitTimeStarted": deployment.terminates_at is not None,
        "blueGreenDeploymentConfiguration": blue_green(deployment.settings),
        "loadBalancerInfo": load_balancer_info(domain),
        "deploymentStatusMessages": [],
    }
    if domain.compute_platform is not None:
        info["computePlatform"] = domain.compute_platform
    info.update(_what_is_known(deployment))
    return info


def _what_is_known(deployment: Deployment) -> dict[str, Any]:
    known: dict[str, Any] = {}
    if deployment.previous_revision is not None:
        known["previousRevision"] = deployment.previous_revision.location
    if deployment.alarms is not None:
        known["overrideAlarmConfiguration"] = deployment.alarms
    if deployment.description:
        known["description"] = deployment.description
    if deployment.started_at is not None:
        known["startTime"] = deployment.started_at
    if deployment.completed_at is not None:
        known["completeTime"] = deployment.completed_at
    if deployment.failure is not None:
        known["errorInformation"] = {"code": deployment.failure.code, "message": deployment.failure.message}
    if deployment.rollback_id or deployment.rollback_of:
        known["rollbackInfo"] = _rollback_info(deployment)
    return known


def _rollback_info(deployment: Deployment) -> dict[str, str]:
    if deployment.rollback_of:
        return {
            "rollbackTriggeringDeploymentId": deployment.rollback_of,
            "rollbackMessage": f"Rolling back deployment {deployment.rollback_of}.",
        }
    return {
        "rollbackDeploymentId": deployment.rollback_id or "",
        "rollbackMessage": f"The deployment is rolled back by deployment {deployment.rollback_id}.",
    }


def _overview(deployment: Deployment) -> dict[str, int]:
    overview = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
    overview[target_status(deployment)] += 1
    return overview


def target_status(deployment: Deployment) -> str:
    """TargetStatus, which has neither Created nor Stopped."""
    return {"Created": "Pending", "Stopped": "Failed"}.get(deployment.status, deployment.status)


def deployment_target(group: Group, deployment: Deployment, *, at: float) -> dict[str, Any]:
    """`deploymentTarget` of GetDeploymentTarget. Reading uses up a delayed InProgress."""
    domain = group.domain
    kind = {} if domain.target_type is None else {"deploymentTargetType": domain.target_type}
    return {
        **kind,
        ("ecsTarget" if domain.target_type in {None, "ECSTarget"} else "lambdaTarget"): {
            "deploymentId": deployment.id,
            "targetId": domain.target_id,
            "targetArn": domain.service_arn,
            "lastUpdatedAt": deployment.completed_at or at,
            "lifecycleEvents": [_event(event) for event in deployment.events],
            "status": target_status(deployment),
            "taskSetsInfo": deployment.last_task_sets or task_set_info(group, deployment),
        },
    }


def _event(event: LifecycleEvent) -> dict[str, Any]:
    if event.unseen_reads > 0:
        event.unseen_reads -= 1
        return {"lifecycleEventName": event.name, "status": "Pending"}
    if event.unended_reads > 0:
        event.unended_reads -= 1
        return {"lifecycleEventName": event.name, "status": "InProgress", "startTime": event.started_at}
    shape: dict[str, Any] = {"lifecycleEventName": event.name, "status": event.status}
    if event.started_at is not None:
        shape["startTime"] = event.started_at
    if event.ended_at is not None:
        shape["endTime"] = event.ended_at
    return shape


def task_set_info(group: Group, deployment: Deployment) -> list[dict[str, Any]]:
    """`taskSetsInfo`: blue, then green once it exists. Before Install, what serves is blue."""
    blue = deployment.blue or group.primary
    sides = [("Blue", blue)] + ([("Green", deployment.green)] if deployment.green else [])
    return [_task_set(group, task_set, label) for label, task_set in sides]


def _task_set(group: Group, task_set: TaskSet, label: str) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "identifer": task_set.id,  # so spelled in CodeDeploy's model
        "desiredCount": task_set.desired,
        "pendingCount": task_set.pending,
        "runningCount": task_set.running,
        "status": task_set.status,
        "trafficWeight": float(group.weight(task_set)),
        "targetGroup": {"name": group.domain.target_groups[task_set.target_group]},
    }
    if group.domain.task_set_labels:
        shape["taskSetLabel"] = label
    return shape
