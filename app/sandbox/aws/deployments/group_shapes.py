"""Deployment groups as CodeDeploy's API describes them. Times are seconds since the epoch."""

from typing import Any

from app.sandbox.aws.state.deployment import Deployment
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.roles import CODEDEPLOY_ROLE, role_arn
from app.sandbox.aws.state.topology import CLUSTER, SandboxDomain, arn


def group_info(group: Group) -> dict[str, Any]:
    """`deploymentGroupInfo` of GetDeploymentGroup."""
    domain = group.domain
    alarms = {
        "enabled": domain.alarm_stops,
        "ignorePollAlarmFailure": False,
        "alarms": [{"name": domain.alarm}],
    }
    info: dict[str, Any] = {
        "applicationName": domain.application,
        "deploymentGroupId": domain.group_uuid,
        "deploymentGroupName": domain.deployment_group,
        "deploymentConfigName": domain.config,
        "serviceRoleArn": role_arn(CODEDEPLOY_ROLE),
        "triggerConfigurations": [_trigger()],
        "alarmConfiguration": alarms,
        "autoRollbackConfiguration": auto_rollback(domain),
        "deploymentStyle": deployment_style(domain),
        "blueGreenDeploymentConfiguration": blue_green(domain),
        "loadBalancerInfo": load_balancer_info(domain),
        "ecsServices": [{"serviceName": domain.service, "clusterName": CLUSTER}],
        "terminationHookEnabled": False,
    }
    if domain.compute_platform is not None:
        info["computePlatform"] = domain.compute_platform
    info.update(_latest(group))
    return info


def _trigger() -> dict[str, Any]:
    events = ["DeploymentSuccess", "DeploymentFailure", "DeploymentStop", "DeploymentRollback"]
    return {
        "triggerName": "switches",
        "triggerTargetArn": arn("sns", "codedeploy-events"),
        "triggerEvents": events,
    }


def _latest(group: Group) -> dict[str, Any]:
    succeeded = [one for one in group.deployments if one.status == "Succeeded"]
    latest: dict[str, Any] = {}
    if succeeded:
        latest["lastSuccessfulDeployment"] = _brief(succeeded[-1])
    if group.deployments:
        latest["lastAttemptedDeployment"] = _brief(group.deployments[-1])
    return latest


def _brief(deployment: Deployment) -> dict[str, Any]:
    brief: dict[str, Any] = {
        "deploymentId": deployment.id,
        "status": deployment.status,
        "createTime": deployment.created_at,
    }
    if deployment.completed_at is not None:
        brief["endTime"] = deployment.completed_at
    return brief


def deployment_style(domain: SandboxDomain) -> dict[str, Any]:
    return {"deploymentType": domain.deployment_type, "deploymentOption": "WITH_TRAFFIC_CONTROL"}


def auto_rollback(domain: SandboxDomain) -> dict[str, Any]:
    return {"enabled": bool(domain.auto_rollback), "events": list(domain.auto_rollback)}


def blue_green(domain: SandboxDomain) -> dict[str, Any]:
    action = "STOP_DEPLOYMENT" if domain.ready_wait_minutes else "CONTINUE_DEPLOYMENT"
    return {
        "terminateBlueInstancesOnDeploymentSuccess": {
            "action": "TERMINATE",
            "terminationWaitTimeInMinutes": domain.termination_wait_minutes,
        },
        "deploymentReadyOption": {
            "actionOnTimeout": action,
            "waitTimeInMinutes": domain.ready_wait_minutes,
        },
    }


def load_balancer_info(domain: SandboxDomain) -> dict[str, Any]:
    pair: dict[str, Any] = {
        "targetGroups": [{"name": name} for name in domain.target_groups],
        "prodTrafficRoute": {"listenerArns": [domain.listener_arn]},
    }
    if domain.test_listener:
        pair["testTrafficRoute"] = {"listenerArns": [domain.test_listener_arn]}
    return {"targetGroupPairInfoList": [pair]}
