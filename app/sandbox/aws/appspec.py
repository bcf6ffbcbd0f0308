"""What CreateDeployment is given to deploy."""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.task_definitions import TaskDefinition

HOOKABLE: Final = (
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)
# An AppSpec is JSON or YAML; these two facts look alike enough in both to be found without a YAML parser.
_TASK_DEFINITION: Final = re.compile(r"""\bTaskDefinition["']?\s*:\s*["']?(?P<arn>[^"'\s,}]+)""")
_HOOK: Final = re.compile(rf"""\b(?P<event>{"|".join(HOOKABLE)})["']?\s*:\s*["']?[\w:.-]+""")


@dataclass(frozen=True, slots=True)
class Revision:
    """`shape` is the RevisionLocation as it was given. An S3 revision's content is unknown to the stand-in:
    no `task_definition`, no `hooks` (None: the domain's own)."""

    shape: dict[str, Any]
    task_definition: str | None
    hooks: frozenset[str] | None


def read_revision(location: object) -> Revision:
    """The `revision` member of CreateDeployment. Raises RevisionRequiredException, InvalidRevisionException."""
    if not isinstance(location, dict):
        raise AwsError("RevisionRequiredException", "The revision ID was not specified.")
    kind = location.get("revisionType") or ("AppSpecContent" if "appSpecContent" in location else None)
    if kind == "S3":
        return Revision(location, None, None)
    content = (location.get("appSpecContent") or {}).get("content")
    if kind != "AppSpecContent" or not isinstance(content, str):
        raise AwsError(
            "InvalidRevisionException", "For ECS deployment group, specify an AppSpecContent or S3."
        )
    found = _TASK_DEFINITION.search(content)
    if found is None:
        raise AwsError("InvalidRevisionException", "The AppSpec file names no TaskDefinition.")
    return _revision(content, found["arn"], frozenset(hook["event"] for hook in _HOOK.finditer(content)))


def revision_of(task_definition: TaskDefinition) -> Revision:
    """The AppSpec that a domain's pipeline sends: JSON, its hooks naming the Lambda function."""
    domain = task_definition.domain
    target = {
        "Type": "AWS::ECS::Service",
        "Properties": {
            "TaskDefinition": task_definition.arn,
            "LoadBalancerInfo": {"ContainerName": domain.name, "ContainerPort": domain.listener_port},
        },
    }
    content = json.dumps(
        {
            "version": 0.0,
            "Resources": [{"TargetService": target}],
            "Hooks": [{event: domain.hook_function} for event in domain.hooks],
        }
    )
    return _revision(content, task_definition.arn, frozenset(domain.hooks))


def _revision(content: str, task_definition: str, hooks: frozenset[str]) -> Revision:
    digest = sha256(content.encode()).hexdigest()
    shape = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content, "sha256": digest}}
    return Revision(shape, task_definition, hooks)
