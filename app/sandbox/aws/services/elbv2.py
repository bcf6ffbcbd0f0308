"""Elastic Load Balancing v2's reads, over the Query protocol."""

from typing import Any

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.task_set import TaskSet
from app.sandbox.aws.state.topology import (
    LOAD_BALANCER,
    LOAD_BALANCER_ARN,
    REGION,
    SandboxDomain,
    hex_of,
    target_group_arn,
)

PAGE = 400
VPC = "vpc-0a1b2c3d4e5f60718"


class Elbv2:
    """One internal load balancer; a production and a test listener and two target groups for each domain."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.operations: dict[str, Operation] = {
            "DescribeLoadBalancers": self.describe_load_balancers,
            "DescribeListeners": self.describe_listeners,
            "DescribeRules": self.describe_rules,
            "DescribeTargetGroups": self.describe_target_groups,
            "DescribeTargetHealth": self.describe_target_health,
        }

    def describe_load_balancers(self, params: Params) -> dict[str, Any]:
        wanted = [*params.get("LoadBalancerArns", []), *params.get("Names", [])]
        if any(one not in (LOAD_BALANCER_ARN, LOAD_BALANCER) for one in wanted):
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        return {"LoadBalancers": [_load_balancer()]}

    def describe_listeners(self, params: Params) -> dict[str, Any]:
        """By `ListenerArns` or `LoadBalancerArn`."""
        wanted = params.get("ListenerArns")
        if wanted is None and params.get("LoadBalancerArn") != LOAD_BALANCER_ARN:
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        known = self._listeners()
        if wanted is None:
            return _page("Listeners", list(known.values()), params)
        if any(one not in known for one in wanted):
            raise AwsError("ListenerNotFound", "One or more listeners not found")
        return {"Listeners": [known[one] for one in wanted]}

    def describe_rules(self, params: Params) -> dict[str, Any]:
        """By `ListenerArn`: the rules that somebody wrote by hand, and the default one."""
        for group in self._account.groups.values():
            if params.get("ListenerArn") == group.domain.listener_arn:
                return {"Rules": _rules(group)}
        raise AwsError("ListenerNotFound", "One or more listeners not found")

    def describe_target_groups(self, params: Params) -> dict[str, Any]:
        """By `Names` or `TargetGroupArns`, or all of them."""
        shapes = [
            _target_group(group.domain, index) for group in self._account.groups.values() for index in (0, 1)
        ]
        for member, key in (("Names", "TargetGroupName"), ("TargetGroupArns", "TargetGroupArn")):
            if member in params:
                known = {shape[key]: shape for shape in shapes}
                if any(one not in known for one in params[member]):
                    raise AwsError("TargetGroupNotFound", "One or more target groups not found")
                return {"TargetGroups": [known[one] for one in params[member]]}
        return _page("TargetGroups", shapes, params)

    def describe_target_health(self, params: Params) -> dict[str, Any]:
        wanted = params.get("TargetGroupArn")
        for group in self._account.groups.values():
            for index in (0, 1):
                if group.domain.target_group_arn(index) == wanted:
                    return {"TargetHealthDescriptions": _health(group, index)}
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")

    def _listeners(self) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = {}
        for group in self._account.groups.values():
            domain = group.domain
            known[domain.listener_arn] = _listener(
                domain, domain.listener_arn, domain.listener_port, _production(group)
            )
            if domain.test_listener:
                known[domain.test_listener_arn] = _listener(
                    domain,
                    domain.test_listener_arn,
                    domain.test_listener_port,
                    [(domain.target_group_arn(group.test_target), 100)],
                )
        return known


def _load_balancer() -> dict[str, Any]:
    return {
        "LoadBalancerArn": LOAD_BALANCER_ARN,
        "DNSName": f"internal-{LOAD_BALANCER}-1234567890.{REGION}.elb.amazonaws.com",
        "LoadBalancerName": LOAD_BALANCER,
        "Scheme": "internal",
        "VpcId": VPC,
        "State": {"Code": "active"},
        "Type": "application",
        "IpAddressType": "ipv4",
    }


def _production(group: Group) -> list[tuple[str, int]]:
    """Target groups' ARNs with their weights. Once CodeDeploy has moved traffic, it leaves both there, as 100 and 0."""
    if group.by_hand:
        return [(target_group_arn(name), weight) for name, weight in group.by_hand.items()]
    both = [(group.domain.target_group_arn(index), weight) for index, weight in enumerate(group.weights)]
    return both if group.moved else [one for one in both if one[1]]


def _rules(group: Group) -> list[dict[str, Any]]:
    listener = group.domain.listener_arn.replace(":listener/", ":listener-rule/")
    actions = [_forward([(target_group_arn(name), 100)]) for name in group.rules_by_hand]
    shapes = [
        {"Priority": str(number), "IsDefault": False, "Actions": [action]}
        for number, action in enumerate(actions, start=1)
    ]
    shapes.append({"Priority": "default", "IsDefault": True, "Actions": [_forward(_production(group))]})
    return [{"RuleArn": f"{listener}/{number:016x}", **shape} for number, shape in enumerate(shapes)]


def _listener(
    domain: SandboxDomain, listener_arn: str, port: int, shares: list[tuple[str, int]]
) -> dict[str, Any]:
    return {
        "ListenerArn": listener_arn,
        "LoadBalancerArn": LOAD_BALANCER_ARN,
        "Port": port,
        "Protocol": "HTTP",
        "DefaultActions": [_forward(shares)],
    }


def _forward(shares: list[tuple[str, int]]) -> dict[str, Any]:
    """An action that forwards to target groups, by ARN and weight."""
    action: dict[str, Any] = {"Type": "forward"}
    if len(shares) == 1:  # as ELB does: the short form too, when there is only one to forward to
        action["TargetGroupArn"] = shares[0][0]
    action["ForwardConfig"] = {
        "TargetGroups": [{"TargetGroupArn": one, "Weight": weight} for one, weight in shares],
        "TargetGroupStickinessConfig": {"Enabled": False},
    }
    return action


def _target_group(domain: SandboxDomain, index: int) -> dict[str, Any]:
    return {
        "TargetGroupArn": domain.target_group_arn(index),
        "TargetGroupName": domain.target_groups[index],
        "Protocol": "HTTP",
        "Port": domain.listener_port,
        "VpcId": VPC,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckPath": "/actuator/health",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [LOAD_BALANCER_ARN],
        "TargetType": "ip",
        "IpAddressType": "ipv4",
    }


def _health(group: Group, index: int) -> list[dict[str, Any]]:
    """One target for each task of the set behind this target group; none when nothing is behind it."""
    return [
        _target(group, task_set, number)
        for task_set in group.task_sets
        if task_set.target_group == index
        for number in range(task_set.desired)
    ]


def _target(group: Group, task_set: TaskSet, number: int) -> dict[str, Any]:
    port = group.domain.listener_port
    address = int(hex_of(task_set.id)[:4], 16)
    target = {
        "Id": f"10.0.{address % 250}.{(address // 250 + 7 * number) % 250 + 4}",
        "Port": port,
        "AvailabilityZone": f"{REGION}{'ac'[number % 2]}",
    }
    return {"Target": target, "HealthCheckPort": str(port), "TargetHealth": _state(group, task_set)}


def _state(group: Group, task_set: TaskSet) -> dict[str, str]:
    if task_set.status == "DRAINING":
        return {
            "State": "draining",
            "Reason": "Target.DeregistrationInProgress",
            "Description": "Target deregistration is in progress",
        }
    health = task_set.health
    if health.state == "healthy" and not group.in_use(task_set.target_group):
        return {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
    if not task_set.steady:
        return {
            "State": "initial",
            "Reason": "Elb.InitialHealthChecking",
            "Description": "Initial health checks in progress",
        }
    if health.state == "healthy":
        return {"State": "healthy"}
    return {"State": health.state, "Reason": health.reason, "Description": health.description}


def _page(member: str, shapes: list[dict[str, Any]], params: Params) -> dict[str, Any]:
    """From `Marker`, at most `PageSize` (400)."""
    start, size = int(params.get("Marker") or 0), int(params.get("PageSize") or PAGE)
    page: dict[str, Any] = {member: shapes[start : start + size]}
    if len(shapes) > start + size:
        page["NextMarker"] = str(start + size)
    return page
