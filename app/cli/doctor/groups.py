"""Doctor: each domain's deployment group, and the hook in its last AppSpec."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from app.aws.appspec_nodes import hook_functions
from app.aws.deployment_groups import group_facts
from app.aws.errors import CLOCK_SKEW, CREDENTIALS
from app.aws.previous_revision import RevisionReader
from app.cli.doctor.aws_clients import (
    WITHOUT_CREDENTIALS,
    AwsClients,
    AwsFailure,
    error_name,
    refused_read,
    without_credentials,
    wrong_signature,
)
from app.cli.doctor.clocks import Clock, ClockReading, http_reading
from app.cli.doctor.findings import Finding, failure, ok, unknown, warning
from app.config.loader import Domain

GATED: Final = "BeforeAllowTraffic"
REJECTION: Final = "DEPLOYMENT_FAILURE"
STOP: Final = "DEPLOYMENT_STOP_ON_REQUEST"
ABSENT: Final = {
    "ApplicationDoesNotExistException": "application",
    "InvalidApplicationNameException": "application",
    "DeploymentGroupDoesNotExistException": "deployment_group",
    "InvalidDeploymentGroupNameException": "deployment_group",
}


@dataclass(kw_only=True, slots=True)
class GroupLook:
    """What was found of a domain. `info`: `deploymentGroupInfo`; `hook`: the function's name or ARN."""

    domain: Domain
    findings: list[Finding] = field(default_factory=list)
    info: Mapping[str, Any] = field(default_factory=dict)
    hook: str | None = None
    reading: ClockReading | None = None

    @property
    def last_deployment(self) -> str | None:
        """The one that was attempted last."""
        return (self.info.get("lastAttemptedDeployment") or {}).get("deploymentId")

    @property
    def role(self) -> str | None:
        """The ARN of CodeDeploy's role."""
        return self.info.get("serviceRoleArn")


def look_at_group(aws: AwsClients, domain: Domain, clock: Clock) -> GroupLook:
    """By GetDeploymentGroup, GetDeployment and GetApplicationRevision. One line if there is no problem."""
    look, what, asked = GroupLook(domain=domain), f"domain {domain.name}", clock()
    try:
        found = aws.codedeploy.get_deployment_group(
            applicationName=domain.application, deploymentGroupName=domain.deployment_group
        )
    except AwsFailure as exc:
        response = exc.response if isinstance(exc, ClientError) else {}
        look.reading = _reading(response, asked, clock())
        look.findings.append(_refused(what, domain, exc))
        return look
    look.reading = _reading(found, asked, clock())
    info: dict[str, Any] = dict(found.get("deploymentGroupInfo") or {})
    wrong = _wrong_kind(what, domain, info)
    if wrong is not None:
        look.findings.append(wrong)
        return look
    look.info = info
    look.findings = [*_safety(domain, info), *_hook(aws, look)]
    look.findings.insert(0, ok(what, _facts(look)))
    return look


def _reading(answer: Mapping[str, Any], asked: datetime, answered: datetime) -> ClockReading | None:
    """The time of AWS's clock, also if AWS refuses the request."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return http_reading(headers.get("date"), asked=asked, answered=answered)


def _wrong_kind(what: str, domain: Domain, group: Mapping[str, Any]) -> Finding | None:
    platform, name = group.get("computePlatform"), domain.deployment_group
    if platform != "ECS":
        remedy = "Switchgate holds ECS deployments only; name another deployment group."
        return failure(what, f"{name} deploys to {platform or 'nobody knows what'}", remedy)
    if (group.get("deploymentStyle") or {}).get("deploymentType") != "BLUE_GREEN":
        return failure(what, f"{name} is not blue/green", "Make it a blue/green deployment group.")
    return None


def _facts(look: GroupLook) -> str:
    domain = look.domain
    said = [f"{domain.application}/{domain.deployment_group} is there, on ECS, blue/green"]
    minutes = group_facts(look.info).safety.blue_kept_minutes
    if minutes:
        said.append(f"blue is kept for {minutes} minutes")
    return "; ".join([*said, f"its hook is {look.hook}"] if look.hook else said)


def _safety(domain: Domain, group: Mapping[str, Any]) -> list[Finding]:
    """Automatic rollback, and how long blue is kept."""
    safety, name, found = group_facts(group).safety, domain.deployment_group, []
    what = f"automatic rollback of {domain.name}"
    if not safety.rolls_back_on:
        found.append(
            failure(
                what, f"it is off in {name}: a rejection leaves green's tasks running", _turn_on(REJECTION)
            )
        )
    elif REJECTION not in safety.rolls_back_on:
        said = f"{name} does not roll back on {REJECTION}: a rejection leaves green's tasks running"
        found.append(failure(what, said, _turn_on(REJECTION)))
    elif STOP not in safety.rolls_back_on:
        said = f"{name} does not roll back on {STOP}, so that stopping a deployment by hand may leave traffic split"
        found.append(warning(what, said, _turn_on(STOP)))
    if safety.blue_kept_minutes == 0:
        said = (
            f"{name} ends blue's tasks as soon as traffic has moved, so that a rollback has to deploy again"
        )
        found.append(
            failure(
                f"blue of {domain.name}", said, "Give the group a termination wait, for example 60 minutes."
            )
        )
    return found


def _turn_on(event: str) -> str:
    return f"Turn automatic rollback on in the deployment group, with {event} among its events."


def _hook(aws: AwsClients, look: GroupLook) -> list[Finding]:
    """Of the AppSpec that was deployed last. Notes the function."""
    what, deployment = f"hook of {look.domain.name}", look.last_deployment
    if deployment is None:
        said = "CodeDeploy has deployed nothing yet, so there is no AppSpec to look at"
        return [warning(what, said, f"Name the hook function in the AppSpec as {GATED}.")]
    try:
        revision = aws.codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"].get("revision")
        reader = RevisionReader(codedeploy=aws.codedeploy, ecs=aws.ecs)
        content = reader.appspec(look.domain.application, revision) if revision else None
    except AwsFailure as exc:
        return [refused_read(what, "codedeploy:GetDeployment", exc)]
    functions = hook_functions(content) if content is not None else None
    if functions is None:
        said = f"the AppSpec of {deployment} cannot be read (it is stored elsewhere, or reading it is not allowed)"
        remedy = f"Look that it names the hook function as {GATED}; allow codedeploy:GetApplicationRevision."
        return [unknown(what, said, remedy)]
    look.hook = functions.get(GATED)
    if look.hook is None:
        said = f"the AppSpec of {deployment} names no function at {GATED}: traffic moves without an approval"
        return [failure(what, said, f"Name the hook function there as {GATED}.")]
    also = sorted(event for event, function in functions.items() if function == look.hook and event != GATED)
    if also:
        said = f"the AppSpec of {deployment} names {look.hook} also at {', '.join(also)}, where it is refused"
        return [failure(what, said, f"Name it at {GATED} only.")]
    return []


def _refused(what: str, domain: Domain, exc: ClientError | BotoCoreError) -> Finding:
    code = error_name(exc)
    key = ABSENT.get(code)
    if key is not None:
        name = domain.application if key == "application" else domain.deployment_group
        return failure(
            what, f"CodeDeploy has no {name}", f"Correct {key} of [domains.{domain.name}], or AWS_REGION."
        )
    if code in CLOCK_SKEW:
        return wrong_signature(what, code)
    if code in CREDENTIALS:
        return failure(
            what,
            f"AWS refuses us ({code})",
            "Allow codedeploy:GetDeploymentGroup to the role that this runs as, or renew its credentials.",
        )
    if code in WITHOUT_CREDENTIALS:
        return without_credentials(what)
    return failure(what, f"CodeDeploy could not be asked ({code})", "Look at the network and AWS_REGION.")
