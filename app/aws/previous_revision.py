"""Finds the revision that undoes a switch after its deployment has ended.

GetDeployment names the previous revision and never shows an AppSpec's content; GetApplicationRevision does. A pipeline
whose AppSpec names a task definition family without a revision, and a service that CodeDeploy has never deployed
before, have no revision to return to: there the AppSpec is deployed with the task definition that blue ran.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from app.aws.appspec import (
    content_in,
    digest_in,
    is_pinned,
    location_name,
    short_name,
    task_definition_in,
    with_task_definition,
    without_content,
)
from app.aws.errors import CREDENTIALS, code_of
from app.gate.previous_revision import Obstacle, PreviousRevision

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_ecs import ECSClient

UNKNOWN_REVISION: Final = frozenset({"RevisionDoesNotExistException", "InvalidRevisionException"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Redeployment:
    """What would be deployed. `location`: CreateDeployment's `revision`; None: nothing would take it back."""

    previous: PreviousRevision
    location: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RevisionReader:
    """boto3's clients, in a worker thread. What may not be read is None; everything else raises boto3's errors."""

    codedeploy: "CodeDeployClient"
    ecs: "ECSClient"

    def appspec(self, application: str, revision: Mapping[str, Any]) -> str | None:
        """GetApplicationRevision. None: stored elsewhere, not known, or not allowed."""
        content = content_in(revision)
        if content is not None or digest_in(revision) is None:
            return content
        asked: Any = without_content(revision)
        try:
            found = self.codedeploy.get_application_revision(applicationName=application, revision=asked)
        except ClientError as exc:
            if code_of(exc) in CREDENTIALS | UNKNOWN_REVISION:
                return None
            raise
        return content_in(found.get("revision") or {})

    def is_inactive(self, task_definition: str) -> bool:
        """DescribeTaskDefinition. False where it cannot be told."""
        try:
            found = self.ecs.describe_task_definition(taskDefinition=task_definition)
        except (ClientError, BotoCoreError):
            return False  # the name is deployable as far as anybody knows
        return found["taskDefinition"].get("status", "ACTIVE") != "ACTIVE"


def redeployment(info: Mapping[str, Any], *, blue: str | None, read: RevisionReader) -> Redeployment:
    """What takes the deployment of `deploymentInfo` back. `blue`: the task definition that blue was seen to run."""
    application = str(info.get("applicationName", ""))
    previous, present = info.get("previousRevision") or {}, info.get("revision") or {}
    base = previous or present
    content = read.appspec(application, base) if base else None
    named = task_definition_in(content) if content else None
    if content and named and (not previous or not is_pinned(named)):
        return _with_blue(content, named, blue=blue, absent=not previous, read=read)
    if not previous:
        return _obstructed(None, Obstacle.ABSENT)
    name = short_name(named) if named else location_name(previous)
    if without_content(previous) == without_content(present):
        return _obstructed(name, Obstacle.SAME)
    if content and named is None:
        return _obstructed(name, Obstacle.UNREADABLE)
    if named is not None and read.is_inactive(named):
        return _obstructed(name, Obstacle.INACTIVE)
    if named is not None:
        name = _distinct_name(name, previous, read.appspec(application, present))
    return Redeployment(previous=PreviousRevision(name=name), location=without_content(previous))


def _with_blue(
    content: str, named: str, *, blue: str | None, absent: bool, read: RevisionReader
) -> Redeployment:
    if blue is None or not is_pinned(blue):
        return (
            _obstructed(None, Obstacle.ABSENT)
            if absent
            else _obstructed(short_name(named), Obstacle.UNPINNED)
        )
    if short_name(blue) == short_name(named):
        return _obstructed(short_name(blue), Obstacle.SAME)
    if read.is_inactive(blue):
        return _obstructed(short_name(blue), Obstacle.INACTIVE)
    replaced = with_task_definition(content, blue)
    if replaced is None:
        return _obstructed(short_name(named), Obstacle.UNREADABLE)
    location = {"revisionType": "AppSpecContent", "appSpecContent": {"content": replaced}}
    return Redeployment(previous=PreviousRevision(name=short_name(blue)), location=location)


def _distinct_name(name: str, previous: Mapping[str, Any], present: str | None) -> str:
    """Two AppSpecs may deploy the same task definition in different ways."""
    deployed = task_definition_in(present) if present else None
    same = deployed is not None and short_name(deployed) == name
    return f"{name} ({location_name(previous)})" if same else name


def _obstructed(name: str | None, obstacle: Obstacle) -> Redeployment:
    return Redeployment(previous=PreviousRevision(name=name, obstacle=obstacle), location=None)
