"""Doctor: what roles may do, by IAM's simulation of their policies."""

from collections.abc import Collection, Iterable

from app.cli.doctor.aws_clients import AwsClients, AwsFailure, refused_read
from app.cli.doctor.findings import Finding, failure, ok
from app.cli.doctor.groups import GroupLook

SIMULATE = "iam:SimulatePrincipalPolicy"


def denied(aws: AwsClients, role: str, actions: Collection[str], resource: str) -> list[str]:
    """Those of the actions that the role (an ARN) may not do with the resource. Raises boto3's errors.

    It reads policies and calls nothing else, so it is harmless whatever the actions are. Policies of the resource
    itself and of the organization's resources are not in it.
    """
    region = {
        "ContextKeyName": "aws:RequestedRegion",
        "ContextKeyValues": [aws.region],
        "ContextKeyType": "string",
    }
    found = aws.iam.simulate_principal_policy(
        PolicySourceArn=role, ActionNames=[*actions], ResourceArns=[resource], ContextEntries=[region]
    )
    results = found.get("EvaluationResults") or []
    allowed = {one["EvalActionName"] for one in results if one.get("EvalDecision") == "allowed"}
    return [action for action in actions if action not in allowed]


def role_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def look_at_codedeploys_role(
    aws: AwsClients, role: str, looks: Iterable[GroupLook], function: str
) -> Finding:
    """Whether CodeDeploy may invoke the function (an ARN) in the deployments of these domains."""
    what, name = f"role {role_name(role)}", function.rpartition(":")[2]
    try:
        refused = denied(aws, role, ["lambda:InvokeFunction"], function)
    except AwsFailure as exc:
        return refused_read(what, SIMULATE, exc)
    if not refused:
        return ok(what, f"CodeDeploy may invoke {name} with it")
    domains = ", ".join(sorted(look.domain.name for look in looks))
    return failure(
        what,
        f"CodeDeploy may not invoke {name} with it, so that every deployment of {domains} fails",
        "Allow lambda:InvokeFunction on the function; AWS's managed policies do if its name begins with"
        " CodeDeployHook_.",
    )
