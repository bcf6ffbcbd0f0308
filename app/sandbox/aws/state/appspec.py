"""Application revisions: the input of CreateDeployment, and what the reads show of it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import yaml

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.state.task_definitions import TaskDefinition

HOOKABLE: Final = (
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)
INLINE: Final = {"AppSpecContent": "appSpecContent", "String": "string"}
"""Revision types that carry their content, and the member that carries it."""

STORED: Final = {
    "S3": ("s3Location", "bucket", "key"),
    "GitHub": ("gitHubLocation", "repository", "commitId"),
}
"""Revision types whose content is stored elsewhere, and the member that names it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """`location` is the RevisionLocation that GetDeployment shows: never with its content, of which it has the digest.

    Without `content`, which the stand-in does not know, there is no `task_definition` and no `hooks` (None: the
    domain's own).
    """

    location: dict[str, Any]
    content: str | None
    task_definition: str | None
    hooks: frozenset[str] | None

    @property
    def key(self) -> str:
        """Equal for equal locations."""
        return json.dumps(self.location, sort_keys=True)

    @property
    def whole(self) -> dict[str, Any]:
        """The RevisionLocation with its content, as GetApplicationRevision shows it."""
        member = INLINE.get(self.location["revisionType"])
        if member is None:
            return self.location
        return {**self.location, member: {**self.location[member], "content": self.content}}


class Revisions:
    """The revisions ever deployed, by application, and the contents in S3 and on GitHub."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Revision] = {}
        self._stored: dict[tuple[str, str], str] = {}

    def store(self, where: str, name: str, content: str) -> None:
        """An object in a bucket, or a commit of a repository."""
        self._stored[where, name] = content

    def register(self, application: str, revision: Revision) -> Revision:
        self._known[application, revision.key] = revision
        return revision

    def find(self, application: str, location: object) -> Revision:
        """Raises RevisionRequiredException, InvalidRevisionException, RevisionDoesNotExistException."""
        asked = self.read(application, location)
        found = self._known.get((application, asked.key))
        if found is None:
            raise _does_not_exist()
        return found

    def read(self, application: str, location: object) -> Revision:
        """A RevisionLocation as requests give it: content, or the digest of a content that is known already."""
        if not isinstance(location, dict):
            raise AwsError("RevisionRequiredException", "The revision ID was not specified.")
        kind = location.get("revisionType") or ("AppSpecContent" if "appSpecContent" in location else "")
        if kind in INLINE:
            return self._inline(application, kind, location.get(INLINE[kind]) or {})
        if kind not in STORED:
            raise AwsError(
                "InvalidRevisionException", "The revision type is not one of those that are known."
            )
        member, where, name = STORED[kind]
        given = location.get(member) or {}
        if not given.get(where) or not given.get(name):
            raise AwsError("InvalidRevisionException", f"A revision of type {kind} needs {where} and {name}.")
        content = self._stored.get((given[where], given[name]))
        return _revision({"revisionType": kind, member: given}, content)

    def _inline(self, application: str, kind: str, given: dict[str, Any]) -> Revision:
        content, digest = given.get("content"), given.get("sha256")
        if isinstance(content, str):
            if digest not in (None, digest_of(content)):
                raise AwsError("InvalidRevisionException", "The sha256 is not that of the content.")
            if _task_definition(_loaded(content)) is None:
                raise AwsError("InvalidRevisionException", "The AppSpec file names no TaskDefinition.")
            return inline_revision(content, kind=kind)
        if not digest:
            raise AwsError("InvalidRevisionException", "Neither the content nor its sha256 was given.")
        location = {"revisionType": kind, INLINE[kind]: {"sha256": digest}}
        known = self._known.get((application, json.dumps(location, sort_keys=True)))
        if known is None:
            raise _does_not_exist()
        return known


def inline_revision(content: str, *, kind: str = "AppSpecContent") -> Revision:
    """An AppSpec as a pipeline sends it."""
    return _revision({"revisionType": kind, INLINE[kind]: {"sha256": digest_of(content)}}, content)


def appspec_of(task_definition: TaskDefinition, *, named: str = "") -> str:
    """The AppSpec that a domain's pipeline sends: JSON, its hooks naming the Lambda function.

    `named`: how it names the task definition, if not by ARN.
    """
    domain = task_definition.domain
    target = {
        "Type": "AWS::ECS::Service",
        "Properties": {
            "TaskDefinition": named or task_definition.arn,
            "LoadBalancerInfo": {"ContainerName": domain.name, "ContainerPort": domain.listener_port},
        },
    }
    return json.dumps(
        {
            "version": 0.0,
            "Resources": [{"TargetService": target}],
            "Hooks": [{event: domain.hook_function} for event in domain.hooks],
        }
    )


def digest_of(content: str) -> str:
    """`sha256` of an AppSpec's content."""
    return sha256(content.encode()).hexdigest()


def _revision(location: dict[str, Any], content: str | None) -> Revision:
    appspec = _loaded(content or "")
    name = _task_definition(appspec)
    if name is None:
        return Revision(location, content, None, None)
    hooks = (event for hook in appspec.get("Hooks") or [] if isinstance(hook, dict) for event in hook)
    return Revision(location, content, name, frozenset(hooks) & set(HOOKABLE))


def _loaded(content: str) -> dict[str, Any]:
    """An AppSpec, JSON or YAML; empty where it is neither."""
    try:
        found = json.loads(content)
    except ValueError:
        try:
            found = yaml.safe_load(content)
        except yaml.YAMLError:
            return {}
    return found if isinstance(found, dict) else {}


def _task_definition(appspec: dict[str, Any]) -> str | None:
    try:
        (resource,) = appspec["Resources"]
        (service,) = resource.values()
        name = service["Properties"]["TaskDefinition"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return name.strip() if isinstance(name, str) else None


def _does_not_exist() -> AwsError:
    return AwsError(
        "RevisionDoesNotExistException", "The named revision does not exist with the user or account."
    )
