"""IAM roles, as far as SimulatePrincipalPolicy shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.state.topology import ACCOUNT

TASK_ROLE: Final = "klp-logistics-switchgate-task"
HOOK_ROLE: Final = "klp-logistics-switchgate-hook"
CODEDEPLOY_ROLE: Final = "klp-logistics-codedeploy"

_UNDO: Final = (
    "codedeploy:CreateDeployment",
    "codedeploy:RegisterApplicationRevision",
    "codedeploy:UpdateDeploymentGroup",
)
DEFAULT_ROLES: Final[Mapping[str, Mapping[str, str]]] = {
    TASK_ROLE: dict.fromkeys(_UNDO, "*"),
    HOOK_ROLE: {
        "codedeploy:PutLifecycleEventHookExecutionStatus": "*",
        "codedeploy:GetDeployment": f"arn:aws:codedeploy:*:{ACCOUNT}:deploymentgroup:klp-logistics-*",
        "secretsmanager:GetSecretValue": f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:klp-logistics/*",
    },
    CODEDEPLOY_ROLE: {"lambda:InvokeFunction": "arn:aws:lambda:*:*:function:CodeDeployHook_*"},
}
"""What each role may do, and on which resources. The last one as AWSCodeDeployRoleForECSLimited has it."""


def role_arn(name: str) -> str:
    """The roles have no path."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


@dataclass(eq=False)
class Role:
    """What it may do: patterns of resources, by action."""

    name: str
    allowed: dict[str, str]

    def allows(self, action: str, resource: str) -> bool:
        pattern = self.allowed.get(action)
        return pattern is not None and (pattern == "*" or fnmatchcase(resource, pattern))


class Roles:
    """The account's roles, by name."""

    def __init__(self) -> None:
        self._roles = {name: Role(name, dict(allowed)) for name, allowed in DEFAULT_ROLES.items()}

    def deny(self, name: str, actions: Iterable[str]) -> None:
        """The role loses the permissions."""
        for action in actions:
            self._roles[name].allowed.pop(action, None)

    def named(self, name: object) -> Role:
        """Raises IAM's NoSuchEntity."""
        found = self._roles.get(str(name))
        if found is None:
            raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", status=404)
        return found

    def by_arn(self, arn: object) -> Role:
        """Raises IAM's NoSuchEntity, also for an ARN with a path that the role does not have."""
        for name, role in self._roles.items():
            if role_arn(name) == arn:
                return role
        raise AwsError("NoSuchEntity", f"No such entity {arn}", status=404)
