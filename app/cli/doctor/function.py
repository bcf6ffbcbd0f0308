"""Doctor: the hook's Lambda function, its environment and its role. Values of the environment are never shown."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from app.aws.errors import code_of
from app.cli.doctor.aws_clients import AwsClients, AwsFailure, refused_read
from app.cli.doctor.findings import Finding, failure, ok, warning
from app.cli.doctor.iam import SIMULATE, denied, role_name
from app.config.environment_values import ADVISED_SECRET_CHARS
from app.hook_lambda.handler import (
    ATTEMPT_SECONDS,
    KEY_ID_PATTERN,
    MAX_RESERVE_SECONDS,
    NotForwarded,
    read_target,
)
from app.observability.redaction import register_secrets

GATED: Final = "BeforeAllowTraffic"
URL: Final = "SWITCHGATE_URL"
KEY_ID: Final = "SWITCHGATE_HOOK_KEY_ID"
INLINE_KEY: Final = "SWITCHGATE_HOOK_SECRET"
STORED_KEY: Final = "SWITCHGATE_HOOK_SECRET_ARN"
SHORTEST: Final = round(ATTEMPT_SECONDS + MAX_RESERVE_SECONDS)
"""Seconds: one whole try, and the answer to CodeDeploy if it fails."""

PUT: Final = "codedeploy:PutLifecycleEventHookExecutionStatus"
READ: Final = "codedeploy:GetDeployment"


@dataclass(kw_only=True, slots=True)
class FunctionLook:
    """What was found of a function. `url`: where it sends hooks, if it says so and could."""

    findings: list[Finding] = field(default_factory=list)
    url: str | None = None


def look_at_function(
    aws: AwsClients, name: str, *, keys: Mapping[str, str], groups: Mapping[str, str]
) -> FunctionLook:
    """By GetFunctionConfiguration and a simulation of its role. `keys`: those that the service takes, by kid;
    `groups`: ARNs of the deployment groups that name it, by domain."""
    short = name.rpartition(":function:")[2]
    what = f"function {short}"
    try:
        found: dict[str, Any] = aws.functions.get_function_configuration(FunctionName=name)
    except AwsFailure as exc:
        if isinstance(exc, ClientError) and code_of(exc) == "ResourceNotFoundException":
            remedy = f"Deploy it, or correct the AppSpec of {', '.join(sorted(groups))}."
            return FunctionLook(findings=[failure(what, "Lambda has no such function", remedy)])
        return FunctionLook(findings=[refused_read(what, "lambda:GetFunctionConfiguration", exc)])
    values: dict[str, str] = (found.get("Environment") or {}).get("Variables") or {}
    register_secrets(values.get(INLINE_KEY, "").strip())
    look = FunctionLook(findings=_time_out(short, found) + _environment(short, values, keys))
    if not look.findings:
        said = f"time-out {found.get('Timeout')} s; its environment has {', '.join(sorted(values))}"
        look.findings.append(ok(what, said))
    look.findings += _role(aws, str(found.get("Role", "")), values, groups)
    look.url = _url(values)
    return look


def _time_out(name: str, function: Mapping[str, Any]) -> list[Finding]:
    seconds = int(function.get("Timeout") or 0)
    if seconds >= SHORTEST:
        return []
    said = f"{seconds} s are too few to reach Switchgate and, failing that, to answer CodeDeploy"
    return [failure(f"time-out of {name}", said, "Give the function a time-out of 60 s.")]


def _environment(name: str, values: Mapping[str, str], keys: Mapping[str, str]) -> list[Finding]:
    what = f"environment of {name}"
    missing = [variable for variable in (URL,) if not values.get(variable)]
    if not values.get(INLINE_KEY) and not values.get(STORED_KEY):
        missing.append(f"{STORED_KEY} (or {INLINE_KEY})")
    if missing:
        said = f"it lacks {' and '.join(missing)}, so that every hook is answered Failed"
        return [
            failure(what, said, "Set them as infra/ does; if it is not Switchgate's function, name that one.")
        ]
    try:
        read_target(values)
    except NotForwarded as exc:
        wrong, _, remedy = str(exc).rpartition("; ")
        return [failure(what, wrong, f"{remedy[:1].upper()}{remedy[1:]}.")]
    if values.get("HOOK_NAME", GATED) != GATED:
        remedy = "Take HOOK_NAME away: Switchgate refuses hooks of other lifecycle events."
        return [failure(what, f"HOOK_NAME is not {GATED}", remedy)]
    return _key(what, values, keys)


def _key(what: str, values: Mapping[str, str], keys: Mapping[str, str]) -> list[Finding]:
    """Whether the service takes the key with which the function signs."""
    kid, secret = values.get(KEY_ID, "").strip(), values.get(INLINE_KEY, "").strip()
    if kid and not KEY_ID_PATTERN.fullmatch(kid):
        said = f"{KEY_ID} is no key id: it has other signs than A-Z a-z 0-9 . _ -, or too many"
        return [failure(what, said, "Write the key's name alone there, without its secret.")]
    if kid and kid not in keys:
        # A secret alone may have the form of a key id.
        named = repr(kid) if len(kid) < ADVISED_SECRET_CHARS else "as long as a secret"
        said = f"{KEY_ID} is {named}, which is not among SWITCHGATE_HOOK_SECRETS ({', '.join(sorted(keys))})"
        return [
            failure(what, said, "Add the key to the service, or let the function sign with one that it has.")
        ]
    if secret and kid in keys and not hmac.compare_digest(secret.encode(), keys[kid].encode()):
        said = f"its secret of the key {kid} is another than the service's"
        return [failure(what, said, f"Give both the same secret: {INLINE_KEY} and SWITCHGATE_HOOK_SECRETS.")]
    return []


def _role(aws: AwsClients, role: str, values: Mapping[str, str], groups: Mapping[str, str]) -> list[Finding]:
    what = f"role {role_name(role)}"
    try:
        if denied(aws, role, [PUT], "*"):
            said = "the hook function may not answer CodeDeploy: without Switchgate a deployment hangs for an hour"
            return [failure(what, said, f"Allow {PUT} on * to it.")]
        found = []
        arn = values.get(STORED_KEY, "").strip()
        if arn and denied(aws, role, ["secretsmanager:GetSecretValue"], arn):
            said = "the hook function may not read the secret that SWITCHGATE_HOOK_SECRET_ARN names"
            found.append(failure(what, said, "Allow secretsmanager:GetSecretValue on that secret to it."))
        unread = sorted(domain for domain, group in groups.items() if denied(aws, role, [READ], group))
    except AwsFailure as exc:
        return [refused_read(what, SIMULATE, exc)]
    if unread:
        said = f"the hook function cannot recognise automatic rollbacks of {', '.join(unread)} while Switchgate is away"
        found.append(warning(what, said, f"Allow {READ} on their deployment groups to it."))
    return found or [ok(what, "the hook function may answer CodeDeploy with it")]


def _url(values: Mapping[str, str]) -> str | None:
    try:
        read_target(values)
    except NotForwarded:
        return None
    return values[URL].strip().rstrip("/")
