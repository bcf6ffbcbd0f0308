"""Doctor: every permission that serving uses, by a call that changes nothing.

Reads are made as serving makes them. What writes is called with a deployment that does not exist: AWS looks at the
permission first. Three actions have no such call, because they take no deployment; IAM simulates them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from botocore.exceptions import ClientError

from app.aws.deployment_groups import group_facts
from app.cli.doctor.aws_clients import (
    AwsClients,
    AwsFailure,
    at_once,
    error_name,
    is_denied,
    refused_read,
)
from app.cli.doctor.findings import Finding, failure, ok, unknown, warning
from app.cli.doctor.groups import GroupLook
from app.cli.doctor.iam import SIMULATE, denied
from app.cli.doctor.identity import Identity

WHAT: Final = "permissions"
NOBODYS_DEPLOYMENT: Final = "d-000000000"
NOBODYS_EXECUTION: Final = "switchgate-doctor"


class Use(Enum):
    """What is not possible without the permission."""

    HOLD = "no switch can be held or decided"
    UNDO = "no rollback can be made from Slack"
    SHOW = "the card cannot show everything"


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """Names of things that exist, for the reads."""

    application: str
    group: str
    deployment: str
    config: str
    cluster: str
    service: str
    listener: str
    target_groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """An action of IAM, what it is for, and the call."""

    action: str
    use: Use
    call: Callable[[AwsClients, Example], object]


def _target_health(aws: AwsClients, known: Example) -> object:
    groups = aws.elbv2.describe_target_groups(Names=list(known.target_groups))["TargetGroups"]
    return [aws.elbv2.describe_target_health(TargetGroupArn=one["TargetGroupArn"]) for one in groups[:1]]


def _revision(aws: AwsClients, known: Example) -> object:
    revision: Any = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "0" * 64}}
    return aws.codedeploy.get_application_revision(applicationName=known.application, revision=revision)


PERMISSIONS: Final = (
    Permission(
        action="codedeploy:GetDeploymentGroup",
        use=Use.HOLD,
        call=lambda aws, known: aws.codedeploy.get_deployment_group(
            applicationName=known.application, deploymentGroupName=known.group
        ),
    ),
    Permission(
        action="codedeploy:GetDeployment",
        use=Use.HOLD,
        call=lambda aws, known: aws.codedeploy.get_deployment(deploymentId=known.deployment),
    ),
    Permission(
        action="codedeploy:BatchGetDeployments",
        use=Use.HOLD,
        call=lambda aws, known: aws.codedeploy.batch_get_deployments(deploymentIds=[known.deployment]),
    ),
    Permission(
        action="codedeploy:GetDeploymentConfig",
        use=Use.HOLD,
        call=lambda aws, known: aws.codedeploy.get_deployment_config(deploymentConfigName=known.config),
    ),
    Permission(
        action="codedeploy:ListDeploymentTargets",
        use=Use.HOLD,
        call=lambda aws, known: aws.codedeploy.list_deployment_targets(deploymentId=known.deployment),
    ),
    Permission(
        action="codedeploy:GetDeploymentTarget",
        use=Use.HOLD,
        call=lambda aws, known: aws.codedeploy.get_deployment_target(
            deploymentId=known.deployment, targetId=f"{known.cluster}:{known.service}"
        ),
    ),
    Permission(
        action="codedeploy:PutLifecycleEventHookExecutionStatus",
        use=Use.HOLD,
        call=lambda aws, known: aws.codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=NOBODYS_DEPLOYMENT, lifecycleEventHookExecutionId=NOBODYS_EXECUTION, status="Failed"
        ),
    ),
    Permission(
        action="codedeploy:StopDeployment",
        use=Use.UNDO,
        call=lambda aws, known: aws.codedeploy.stop_deployment(deploymentId=NOBODYS_DEPLOYMENT),
    ),
    Permission(
        action="codedeploy:ContinueDeployment",
        use=Use.UNDO,
        call=lambda aws, known: aws.codedeploy.continue_deployment(
            deploymentId=NOBODYS_DEPLOYMENT, deploymentWaitType="TERMINATION_WAIT"
        ),
    ),
    Permission(action="codedeploy:GetApplicationRevision", use=Use.SHOW, call=_revision),
    Permission(
        action="ecs:DescribeServices",
        use=Use.SHOW,
        call=lambda aws, known: aws.ecs.describe_services(cluster=known.cluster, services=[known.service]),
    ),
    Permission(
        action="ecs:DescribeTaskDefinition",
        use=Use.SHOW,
        call=lambda aws, known: aws.ecs.describe_task_definition(taskDefinition=known.service),
    ),
    Permission(
        action="elasticloadbalancing:DescribeTargetGroups",
        use=Use.SHOW,
        call=lambda aws, known: aws.elbv2.describe_target_groups(Names=list(known.target_groups)),
    ),
    Permission(action="elasticloadbalancing:DescribeTargetHealth", use=Use.SHOW, call=_target_health),
    Permission(
        action="elasticloadbalancing:DescribeListeners",
        use=Use.SHOW,
        call=lambda aws, known: aws.elbv2.describe_listeners(ListenerArns=[known.listener]),
    ),
    Permission(
        action="elasticloadbalancing:DescribeRules",
        use=Use.SHOW,
        call=lambda aws, known: aws.elbv2.describe_rules(ListenerArn=known.listener),
    ),
    Permission(
        action="cloudwatch:DescribeAlarms",
        use=Use.SHOW,
        call=lambda aws, known: aws.cloudwatch.describe_alarms(MaxRecords=1),
    ),
)

SIMULATED: Final = (
    "codedeploy:CreateDeployment",
    "codedeploy:RegisterApplicationRevision",
    "codedeploy:UpdateDeploymentGroup",
)


def look_at_permissions(aws: AwsClients, looks: list[GroupLook], identity: Identity | None) -> list[Finding]:
    """One line if there is no problem."""
    known = next((example for look in looks if (example := _example(look)) is not None), None)
    if known is None:
        said = "there is no deployment to read yet, or its deployment group cannot be read"
        return [unknown(WHAT, said, "Look again after the first deployment.")]
    found = [one for one in at_once(lambda permission: _try(aws, permission, known), PERMISSIONS) if one]
    found += _simulated(aws, known, identity)
    return found or [ok(WHAT, f"all {len(PERMISSIONS) + len(SIMULATED)} that serving uses")]


def _example(look: GroupLook) -> Example | None:
    facts = group_facts(look.info)
    if look.last_deployment is None or facts.service is None or not facts.listeners:
        return None
    return Example(
        application=look.domain.application,
        group=look.domain.deployment_group,
        deployment=look.last_deployment,
        config=str(look.info.get("deploymentConfigName", "")),
        cluster=facts.service.cluster,
        service=facts.service.name,
        listener=facts.listeners[0],
        target_groups=facts.target_groups,
    )


def _try(aws: AwsClients, permission: Permission, known: Example) -> Finding | None:
    """None: allowed. Every other answer than a refusal shows that AWS went beyond the permission."""
    try:
        permission.call(aws, known)
    except AwsFailure as exc:
        if is_denied(exc):
            return _missing(permission.action, permission.use, f"AWS refuses it ({error_name(exc)})")
        if not isinstance(exc, ClientError) or _is_passing(exc):
            return refused_read(f"permission {permission.action}", permission.action, exc)
    return None


def _is_passing(exc: ClientError) -> bool:
    """Whether AWS was too busy to look."""
    status = int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return status >= 500 or "Throttl" in error_name(exc)


def _missing(action: str, use: Use, said: str) -> Finding:
    what = f"permission {action}"
    said = f"{said}: {use.value}"
    remedy = f"Allow {action} to the role that this runs as (docs/permissions.md)."
    return failure(what, said, remedy) if use is Use.HOLD else warning(what, said, remedy)


def _simulated(aws: AwsClients, known: Example, identity: Identity | None) -> list[Finding]:
    what = f"permissions {', '.join(action.partition(':')[2] for action in SIMULATED)}"
    if identity is None or identity.role is None:
        return [
            unknown(
                what,
                "IAM simulates roles only, and this does not run as one",
                "Run it as the service's role.",
            )
        ]
    try:
        role = aws.iam.get_role(RoleName=identity.role)["Role"]["Arn"]
    except AwsFailure as exc:
        return [refused_read(what, "iam:GetRole", exc)]
    start = f"arn:{identity.partition}:codedeploy:{aws.region}:{identity.account}"
    group = f"{start}:deploymentgroup:{known.application}/{known.group}"
    resources: Mapping[str, str] = {
        "codedeploy:CreateDeployment": group,
        "codedeploy:RegisterApplicationRevision": f"{start}:application:{known.application}",
        "codedeploy:UpdateDeploymentGroup": group,
    }
    try:
        lacking = [action for action in SIMULATED if denied(aws, role, [action], resources[action])]
    except AwsFailure as exc:
        return [refused_read(what, SIMULATE, exc)]
    return [_missing(action, Use.UNDO, "no policy of the role allows it") for action in lacking]
