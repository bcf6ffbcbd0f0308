"""ECS's reads, and the registration of task definitions, JSON 1.1."""

import re
from typing import Any, Final

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.task_set import TaskSet
from app.sandbox.aws.state.topology import CLUSTER, arn

CLUSTER_ARN = arn("ecs", f"cluster/{CLUSTER}")
NETWORK = {
    "awsvpcConfiguration": {
        "subnets": ["subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5a60718"],
        "securityGroups": ["sg-0a1b2c3d4e5f60718"],
        "assignPublicIp": "DISABLED",
    }
}


MAX_TAGS: Final = 50
TAG_VALUE: Final = re.compile(r"[\w\s+\-=.:/@]{0,256}")


class Ecs:
    """DescribeServices, DescribeTaskDefinition and RegisterTaskDefinition."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.operations: dict[str, Operation] = {
            "DescribeServices": self.describe_services,
            "DescribeTaskDefinition": self.describe_task_definition,
            "RegisterTaskDefinition": self.register_task_definition,
        }

    def describe_services(self, params: Params) -> dict[str, Any]:
        """At most ten services, by name or ARN; those not found are among `failures`."""
        if (params.get("cluster") or "default") not in (CLUSTER, CLUSTER_ARN):
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        names = params.get("services") or []
        if not 1 <= len(names) <= 10:
            raise AwsError("InvalidParameterException", "Give between one and ten services.")
        found: list[dict[str, Any]] = []
        failures: list[dict[str, str]] = []
        for name in names:
            group = self._find(name)
            if group is None:
                service_arn = name if name.startswith("arn:") else arn("ecs", f"service/{CLUSTER}/{name}")
                failures.append({"arn": service_arn, "reason": "MISSING"})
            else:
                found.append(_service(group))
        return {"services": found, "failures": failures}

    def describe_task_definition(self, params: Params) -> dict[str, Any]:
        found = self._account.task_definitions.find(str(params.get("taskDefinition") or ""))
        if found is None:
            raise AwsError("ClientException", "Unable to describe task definition.")
        answer: dict[str, Any] = {"taskDefinition": found.shape()}
        if "TAGS" in (params.get("include") or []):
            answer["tags"] = found.tags()
        return answer

    def register_task_definition(self, params: Params) -> dict[str, Any]:
        """The next revision of a domain's family; the stand-in has no other families."""
        family, containers = params.get("family"), params.get("containerDefinitions") or []
        if not family or not containers:
            raise AwsError("ClientException", "A task definition needs a family and container definitions.")
        if not all(one.get("name") and one.get("image") for one in containers):
            raise AwsError(
                "ClientException", "Container.name and Container.image should not be null or empty."
            )
        domain = next(
            (one.domain for one in self._account.groups.values() if one.domain.service == family), None
        )
        if domain is None:
            raise AwsError("ClientException", f"The stand-in has no domain with the family {family}.")
        registered = self._account.task_definitions.register(
            domain,
            at=self._account.clock.seconds(),
            image_tag=containers[0]["image"].rpartition(":")[2],
            tags=_tags(params.get("tags") or []),
            definition={name: value for name, value in params.items() if name != "tags"},
        )
        return {"taskDefinition": registered.shape(), "tags": registered.tags()}

    def _find(self, name: str) -> Group | None:
        for group in self._account.groups.values():
            if name in (group.domain.service, group.domain.service_arn):
                return group
        return None


def _tags(given: list[dict[str, str]]) -> dict[str, str]:
    """Raises InvalidParameterException for what ECS does not take as tags."""
    if len(given) > MAX_TAGS or not all(TAG_VALUE.fullmatch(tag.get("value", "")) for tag in given):
        raise AwsError(
            "InvalidParameterException",
            "Tags: at most 50; a value has at most 256 letters, digits, blanks and + - = . _ : / @",
        )
    return {tag["key"]: tag.get("value", "") for tag in given}


def _service(group: Group) -> dict[str, Any]:
    domain, primary = group.domain, group.primary
    return {
        "serviceArn": domain.service_arn,
        "serviceName": domain.service,
        "clusterArn": CLUSTER_ARN,
        "status": "ACTIVE",
        "desiredCount": domain.desired_count,
        "runningCount": sum(one.running for one in group.task_sets),
        "pendingCount": sum(one.pending for one in group.task_sets),
        "launchType": "FARGATE",
        "taskDefinition": primary.task_definition,
        "deploymentController": {"type": "CODE_DEPLOY"},
        "loadBalancers": [_load_balancer(group, primary)],
        "deployments": [],
        "events": [],
        "taskSets": [_task_set(group, one) for one in group.task_sets],
    }


def _load_balancer(group: Group, task_set: TaskSet) -> dict[str, Any]:
    given = (task_set.fields.get("loadBalancers") or [{}])[0]
    return {
        "targetGroupArn": group.domain.target_group_arn(task_set.target_group),
        "containerName": group.domain.name,
        "containerPort": group.domain.listener_port,
        **given,
    }


def _task_set(group: Group, task_set: TaskSet) -> dict[str, Any]:
    domain = group.domain
    shape: dict[str, Any] = {
        "id": task_set.id,
        "taskSetArn": arn("ecs", f"task-set/{CLUSTER}/{domain.service}/{task_set.id}"),
        "serviceArn": domain.service_arn,
        "clusterArn": CLUSTER_ARN,
        "startedBy": "CODE_DEPLOY",
        "status": task_set.status,
        "taskDefinition": task_set.task_definition,
        "computedDesiredCount": task_set.desired,
        "pendingCount": task_set.pending,
        "runningCount": task_set.running,
        "createdAt": task_set.created_at,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": NETWORK,
        "serviceRegistries": [],
        **task_set.fields,
        "loadBalancers": [_load_balancer(group, task_set)],
        "scale": {"value": 100.0, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if task_set.steady else "STABILIZING",
        "tags": [],
    }
    if shape.get("capacityProviderStrategy"):  # the one or the other
        del shape["launchType"]
    if task_set.external_id is not None:  # the set that the service was created with has none
        shape["externalId"] = task_set.external_id
    return shape
