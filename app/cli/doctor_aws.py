"""Doctor: whether each domain's deployment group exists, is blue/green on ECS, and can be read."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from app.aws.codedeploy import READS
from app.aws.errors import CLOCK_SKEW, CREDENTIALS, code_of
from app.cli.doctor_clocks import Clock, ClockReading, http_reading, judge_aws_clock
from app.cli.findings import Finding, failure, ok
from app.config.loader import Domain

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient

ABSENT: Final = {
    "ApplicationDoesNotExistException": "application",
    "InvalidApplicationNameException": "application",
    "DeploymentGroupDoesNotExistException": "deployment_group",
    "InvalidDeploymentGroupNameException": "deployment_group",
}


async def look_at_groups(domains: Sequence[Domain], *, region: str, clock: Clock) -> list[Finding]:
    """A finding for each domain, by GetDeploymentGroup, and one for the clock."""
    try:
        client: CodeDeployClient = boto3.session.Session().client(
            "codedeploy", region_name=region, config=READS
        )
    except (BotoCoreError, ValueError) as exc:
        return [failure("CodeDeploy", type(exc).__name__, "Mend AWS_REGION and the endpoint's address.")]
    work = [asyncio.to_thread(partial(_look, client, domain, clock)) for domain in domains]
    looks = await asyncio.gather(*work)
    readings = [reading for _, reading in looks if reading is not None]
    most_exact = min(readings, key=lambda reading: reading.uncertainty, default=None)
    found = [finding for finding, _ in looks]
    return [judge_aws_clock(most_exact), *found] if most_exact is not None else found


def _look(client: "CodeDeployClient", domain: Domain, clock: Clock) -> tuple[Finding, ClockReading | None]:
    """The finding for a domain, and the time of AWS's clock, also if AWS refuses the request."""
    what, asked = f"domain {domain.name}", clock()
    try:
        found = client.get_deployment_group(
            applicationName=domain.application, deploymentGroupName=domain.deployment_group
        )
    except ClientError as exc:
        reading = _reading(exc.response, asked, clock())
        return _refused(what, domain, exc), reading
    except BotoCoreError as exc:
        return _refused(what, domain, exc), None
    reading = _reading(found, asked, clock())
    return _judged(what, domain, dict(found.get("deploymentGroupInfo", {}))), reading


def _reading(answer: Mapping[str, Any], asked: datetime, answered: datetime) -> ClockReading | None:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return http_reading(headers.get("date"), asked=asked, answered=answered)


def _judged(what: str, domain: Domain, group: dict[str, Any]) -> Finding:
    platform = group.get("computePlatform")
    if platform != "ECS":
        said = f"{domain.deployment_group} deploys to {platform or 'nobody knows what'}"
        return failure(what, said, "Switchgate holds ECS deployments only; name another deployment group.")
    style = group.get("deploymentStyle") or {}
    if style.get("deploymentType") != "BLUE_GREEN":
        return failure(
            what, f"{domain.deployment_group} is not blue/green", "Make it a blue/green deployment group."
        )
    return ok(what, f"{domain.application}/{domain.deployment_group} is there, on ECS, blue/green")


def _refused(what: str, domain: Domain, exc: ClientError | BotoCoreError) -> Finding:
    code = code_of(exc) if isinstance(exc, ClientError) else type(exc).__name__
    key = ABSENT.get(code)
    if key is not None:
        name = domain.application if key == "application" else domain.deployment_group
        return failure(
            what, f"CodeDeploy has no {name}", f"Mend {key} of [domains.{domain.name}], or AWS_REGION."
        )
    if code in CLOCK_SKEW:
        return failure(
            what,
            f"AWS refuses our signature ({code})",
            "Synchronize this machine's clock with NTP (AWS allows five minutes), or mend its secret key.",
        )
    if code in CREDENTIALS:
        return failure(
            what,
            f"AWS refuses us ({code})",
            "Allow codedeploy:GetDeploymentGroup to the role that this runs as, or renew its credentials.",
        )
    if code in {"NoCredentialsError", "PartialCredentialsError"}:
        return failure(what, "there are no AWS credentials", "Give this process a role or keys.")
    return failure(what, f"CodeDeploy could not be asked ({code})", "Look at the network and AWS_REGION.")
