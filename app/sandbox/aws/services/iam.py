"""IAM's reads, over the Query protocol."""

from typing import Any

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.roles import Roles, role_arn


class Iam:
    """GetRole and SimulatePrincipalPolicy: of roles alone, without conditions and explicit denials."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self.operations: dict[str, Operation] = {
            "GetRole": self.get_role,
            "SimulatePrincipalPolicy": self.simulate_principal_policy,
        }

    def get_role(self, params: Params) -> dict[str, Any]:
        name = self._roles.named(params.get("RoleName")).name
        role = {
            "Path": "/",
            "RoleName": name,
            "RoleId": "AROASANDBOXSANDBOX00",
            "Arn": role_arn(name),
            "CreateDate": "2026-11-01T00:00:00Z",
        }
        return {"Role": role}

    def simulate_principal_policy(self, params: Params) -> dict[str, Any]:
        """A result for each action and each resource; without resources, for `*`."""
        actions = params.get("ActionNames")
        if not actions:
            raise AwsError("InvalidInput", "ActionNames must have at least one member.")
        role = self._roles.by_arn(params.get("PolicySourceArn"))
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": "allowed" if role.allows(action, resource) else "implicitDeny",
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action in actions
            for resource in params.get("ResourceArns") or ["*"]
        ]
        return {"IsTruncated": False, "EvaluationResults": results}
