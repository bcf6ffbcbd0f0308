"""Doctor: CodeDeploy, the hook's function and the roles, by reads and by calls that change nothing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError

from app.cli.doctor.aws_clients import AwsClients, at_once
from app.cli.doctor.clocks import Clock, judge_aws_clock
from app.cli.doctor.events import look_at_events
from app.cli.doctor.findings import CheckStatus, Finding, failure
from app.cli.doctor.function import FunctionLook, look_at_function
from app.cli.doctor.groups import GroupLook, look_at_group
from app.cli.doctor.iam import look_at_codedeploys_role
from app.cli.doctor.identity import Identity, look_at_identity
from app.cli.doctor.permissions import look_at_permissions
from app.config.loader import Domain


@dataclass(kw_only=True, slots=True)
class AwsLook:
    """What was found. `hook_urls`: where the hook functions send hooks."""

    findings: list[Finding] = field(default_factory=list)
    hook_urls: list[str] = field(default_factory=list)


def look_at_aws(domains: Sequence[Domain], *, region: str, keys: Mapping[str, str], clock: Clock) -> AwsLook:
    """`keys`: those of the hook signature that the service takes, by kid. Blocks."""
    try:
        aws = AwsClients(region)
    except (BotoCoreError, ValueError) as exc:
        said = failure("AWS", type(exc).__name__, "Correct AWS_REGION and the endpoint's address.")
        return AwsLook(findings=[said])
    told, identity = look_at_identity(aws)
    if told.status is CheckStatus.FAILED:
        return AwsLook(findings=[told])
    looks = at_once(lambda domain: look_at_group(aws, domain, clock), domains)
    found = [told, *_clock(looks), *(one for look in looks for one in look.findings)]
    found += look_at_permissions(aws, looks, identity)
    by_function = defaultdict(list)
    for look in looks:
        if look.hook is not None:
            by_function[look.hook].append(look)
    urls = []
    for function, users in by_function.items():
        seen = _function(aws, function, users, identity, keys)
        found += seen.findings
        urls += [seen.url] if seen.url else []
    return AwsLook(findings=together(found), hook_urls=urls)


def together(findings: Sequence[Finding]) -> list[Finding]:
    """What could not be checked for the same reason becomes one line, in the place of the first."""
    said: dict[object, Finding] = {}
    for finding in findings:
        shared = (finding.said, finding.remedy) if finding.status is CheckStatus.UNKNOWN else finding
        first = said.get(shared)
        what = finding.what if first is None else f"{first.what}, {finding.what}"
        said[shared] = replace(finding, what=what)
    return list(said.values())


def _clock(looks: Sequence[GroupLook]) -> list[Finding]:
    readings = [look.reading for look in looks if look.reading is not None]
    most_exact = min(readings, key=lambda reading: reading.uncertainty, default=None)
    return [judge_aws_clock(most_exact)] if most_exact is not None else []


def _function(
    aws: AwsClients,
    function: str,
    looks: Sequence[GroupLook],
    identity: Identity | None,
    keys: Mapping[str, str],
) -> FunctionLook:
    """The function itself; who may invoke it; what sends it state changes."""
    if identity is None:
        groups = {look.domain.name: "*" for look in looks}
        return look_at_function(aws, function, keys=keys, groups=groups)
    start = f"arn:{identity.partition}:codedeploy:{aws.region}:{identity.account}:deploymentgroup"
    groups = {
        look.domain.name: f"{start}:{look.domain.application}/{look.domain.deployment_group}"
        for look in looks
    }
    seen = look_at_function(aws, function, keys=keys, groups=groups)
    arn = identity.function_arn(function, region=aws.region)
    by_role = defaultdict(list)
    for look in looks:
        if look.role is not None:
            by_role[look.role].append(look)
    roles = at_once(lambda role: look_at_codedeploys_role(aws, role, by_role[role], arn), by_role)
    seen.findings += [*roles, look_at_events(aws, arn)]
    return seen
