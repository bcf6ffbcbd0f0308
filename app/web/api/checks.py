"""`PUT /api/v1/switches/{deployment}/checks/{name}`: how CI and smoke tests say what they found."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.config.environment_values import Scope
from app.db.repositories.checks import Checks
from app.flow.checks.record_check import (
    AmbiguousDeployment,
    CheckReport,
    RecordedCheck,
    ReservedForProbe,
    TooManyChecks,
    record_check,
)
from app.flow.ports.rules import Rules
from app.gate.ids import AWS_ACCOUNT, AWS_REGION, DeploymentId, SwitchKey
from app.gate.rules.checks import (
    MAX_CHECKS,
    MAX_NAME_CHARS,
    MAX_SUMMARY_CHARS,
    MAX_URL_CHARS,
    Check,
    CheckState,
    is_check_name,
)
from app.web.api.auth import TokenAuth
from app.web.api.bodies import read_body
from app.web.api.error_responses import VALIDATION_ERROR_RESPONSES
from app.workers.wakeups import Wakeups

Deployment = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$",
        description="Write CodeDeploy's id, d-….",
        examples=["d-A1B2C3D4E"],
    ),
]
CheckName = Annotated[
    str,
    Path(
        description=f"Write 1 to {MAX_NAME_CHARS} printable characters, without a slash.",
        examples=["order-create smoke"],
    ),
]
Account = Annotated[
    str | None,
    Query(
        pattern=AWS_ACCOUNT,
        description="Where two accounts share an id: write the 12 digits of one.",
        examples=["123456789012"],
    ),
]
Region = Annotated[
    str | None,
    Query(
        pattern=AWS_REGION,
        description="Write the deployment's AWS region, or leave it out for ours.",
        examples=["ap-northeast-2"],
    ),
]


def _https(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        raise ValueError("is no https address") from None
    if parts.scheme != "https" or not parts.hostname or not value.isprintable() or " " in value:
        raise ValueError("is no https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("names a user")
    return value


class CheckIn(BaseModel):
    """What was found."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[CheckState, Field(description="Write what became of it so far.", examples=["passed"])]
    summary: Annotated[
        str,
        Field(
            max_length=MAX_SUMMARY_CHARS,
            description="Write what was found in a sentence, or leave it out.",
            examples=["2 of 10 orders were charged twice"],
        ),
    ] = ""
    url: Annotated[
        str | None,
        Field(
            max_length=MAX_URL_CHARS,
            description="Write where people can read more, without name and password, or leave it out.",
            examples=["https://ci.example.com/runs/7"],
        ),
        AfterValidator(_https),
    ] = None


class CheckOut(BaseModel):
    """A check as it was last told."""

    deployment_id: str
    account: str
    region: str
    name: str
    state: CheckState
    summary: str
    url: str | None
    by: str
    at: datetime


class CheckList(BaseModel):
    items: list[CheckOut]


BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": CheckIn.model_json_schema()}},
    }
}


def checks_router(
    checks: Checks,
    callers: TokenAuth,
    *,
    rules: Rules,
    region: str,
    wakeups: Wakeups,
    clock: Callable[[], datetime],
) -> APIRouter:
    """The routes that write checks."""
    router = APIRouter(
        prefix="/api/v1/switches/{deployment}/checks", tags=["checks"], responses=VALIDATION_ERROR_RESPONSES
    )

    @router.put("/{name:path}", openapi_extra=BODY)
    async def put_check(
        deployment: Deployment,
        name: CheckName,
        request: Request,
        response: Response,
        by: Annotated[str, Depends(callers.require_scope(Scope.CHECKS))],
        account: Account = None,
        named_region: Annotated[Region, Query(alias="region")] = None,
    ) -> CheckOut:
        """Creates or updates a check. Idempotent. May precede the hook."""
        if not is_check_name(name):
            what = (
                f"{len(name)} characters" if len(name) > MAX_NAME_CHARS else "odd characters or blanks around"
            )
            raise HTTPException(
                422, f"name: {what}; write 1 to {MAX_NAME_CHARS} printable ones, without a slash"
            )
        found = await read_body(request, CheckIn)
        told_check = CheckReport(
            deployment=DeploymentId(deployment),
            account=account,
            region=named_region or region,
            name=name,
            state=found.state,
            summary=_plain(found.summary),
            url=found.url,
            by=by,
        )
        taken = await _take(told_check, checks=checks, rules=rules, now=clock())
        wakeups.notify("check_reported")
        response.status_code = 201 if taken.is_new else 200
        return _out(taken.key, taken.check)

    @router.get("", dependencies=[Depends(callers)])
    async def get_checks(deployment: Deployment) -> CheckList:
        """A deployment's checks, whether or not its hook has come."""
        found = await checks.of(DeploymentId(deployment))
        return CheckList(items=[_out(key, check) for key, check in found])

    return router


async def _take(report: CheckReport, *, checks: Checks, rules: Rules, now: datetime) -> RecordedCheck:
    try:
        return await record_check(report, record=checks, rules=rules, now=now)
    except AmbiguousDeployment:
        raise HTTPException(409, "Several accounts have this deployment: say `?account=`.") from None
    except TooManyChecks:
        raise HTTPException(
            409, f"This deployment has {MAX_CHECKS} checks already; nobody reads more."
        ) from None
    except ReservedForProbe:
        raise HTTPException(409, "This check is the result of a probe of Switchgate's own.") from None


def _plain(summary: str) -> str:
    return " ".join("".join(mark if mark.isprintable() else " " for mark in summary).split())


def _out(key: SwitchKey, check: Check) -> CheckOut:
    return CheckOut(
        deployment_id=key.deployment,
        account=key.account,
        region=key.region,
        name=check.name,
        state=check.state,
        summary=check.summary,
        url=check.url,
        by=check.by,
        at=check.at,
    )
