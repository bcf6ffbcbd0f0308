"""Doctor: as whom AWS knows this process."""

import re
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from app.aws.errors import CLOCK_SKEW
from app.cli.doctor.aws_clients import (
    WITHOUT_CREDENTIALS,
    AwsClients,
    AwsFailure,
    error_name,
    is_denied,
    refused_read,
    without_credentials,
    wrong_signature,
)
from app.cli.doctor.findings import Finding, failure, ok

WHAT: Final = "AWS identity"
_ASSUMED: Final = re.compile(r"arn:[a-z-]+:sts::\d{12}:assumed-role/(?P<role>[^/]+)/.+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """The caller. `role`: the name of the role that it has assumed; None: it is a user."""

    account: str
    partition: str
    arn: str

    @property
    def role(self) -> str | None:
        found = _ASSUMED.fullmatch(self.arn)
        return found["role"] if found else None

    def function_arn(self, function: str, *, region: str) -> str:
        """Of a function of this account, by its name; an ARN stays what it is."""
        if function.startswith("arn:"):
            return function
        return f"arn:{self.partition}:lambda:{region}:{self.account}:function:{function}"


def look_at_identity(aws: AwsClients) -> tuple[Finding, Identity | None]:
    """By GetCallerIdentity, which needs no permission."""
    try:
        found = aws.sts.get_caller_identity()
    except AwsFailure as exc:
        return _refused(exc), None
    arn = str(found.get("Arn", ""))
    identity = Identity(account=str(found.get("Account", "")), partition=(arn.split(":") + [""])[1], arn=arn)
    return ok(WHAT, f"{arn} in {aws.region}"), identity


def _refused(exc: ClientError | BotoCoreError) -> Finding:
    name = error_name(exc)
    if name in WITHOUT_CREDENTIALS:
        return without_credentials(WHAT)
    if name in CLOCK_SKEW:
        return wrong_signature(WHAT, name)
    if is_denied(exc):
        return failure(
            WHAT, f"AWS refuses the credentials ({name})", "Renew them, or give this process a role."
        )
    return refused_read(WHAT, "sts:GetCallerIdentity", exc)
