"""`/api/v1/switches/{deployment}/checks`: CI and smoke tests report results."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Path, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from structlog.contextvars import bind_contextvars

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
from app.gate.ids import DeploymentId, SwitchKey
from app.gate.rules.checks import (
    MAX_CHECKS,
    MAX_NAME_CHARS,
    MAX_SUMMARY_CHARS,
    MAX_URL_CHARS,
    Check,
    CheckState,
    is_check_name,
)
from app.web.api.dependencies import Now, Services, check_reporter, reader
from app.web.api.switch_params import Account, Deployment, Region
from app.web.problems import FieldError, ProblemError, invalid, problem_responses


async def check_name(
    name: Annotated[
        str,
        Path(
            description=f"Write 1 to {MAX_NAME_CHARS} printable characters, without a slash.",
            examples=["order-create smoke"],
        ),
    ],
) -> str:
    """The check's name from the path."""
    if is_check_name(name):
        return name
    what = f"{len(name)} characters" if len(name) > MAX_NAME_CHARS else "odd characters or blanks around"
    detail = f"{what}; write 1 to {MAX_NAME_CHARS} printable ones, without a slash"
    raise invalid([FieldError(field="name", detail=detail)])


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
    """A check as it was last reported."""

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


router = APIRouter(
    prefix="/api/v1/switches/{deployment}/checks",
    tags=["checks"],
    responses=problem_responses(401, 403, 422, 429, 503),
)


@router.put("/{name:path}", responses={201: {"model": CheckOut}, **problem_responses(409, 413, 415)})
async def put_check(
    deployment: Deployment,
    name: Annotated[str, Depends(check_name)],
    found: CheckIn,
    by: Annotated[str, Depends(check_reporter)],
    services: Services,
    now: Now,
    response: Response,
    account: Account = None,
    region: Region = None,
) -> CheckOut:
    """Creates or updates a check. Idempotent. May precede the hook."""
    bind_contextvars(deployment=deployment)
    report = CheckReport(
        deployment=DeploymentId(deployment),
        account=account,
        region=region or services.region,
        name=name,
        state=found.state,
        summary=_plain(found.summary),
        url=found.url,
        by=by,
    )
    taken = await _take(report, checks=services.checks, rules=services.rules, now=now)
    services.wakeups.notify("check_reported")
    response.status_code = 201 if taken.is_new else 200
    return _out(taken.key, taken.check)


@router.get("", dependencies=[Depends(reader)])
async def get_checks(deployment: Deployment, services: Services) -> CheckList:
    """A deployment's checks, whether or not its hook has come."""
    found = await services.checks.of(DeploymentId(deployment))
    return CheckList(items=[_out(key, check) for key, check in found])


async def _take(report: CheckReport, *, checks: Checks, rules: Rules, now: datetime) -> RecordedCheck:
    try:
        return await record_check(report, repository=checks, rules=rules, now=now)
    except AmbiguousDeployment:
        raise ProblemError(
            409, "ambiguous", "Several accounts have this deployment: say `?account=`."
        ) from None
    except TooManyChecks:
        detail = f"This deployment has {MAX_CHECKS} checks already; nobody reads more."
        raise ProblemError(409, "too_many_checks", detail) from None
    except ReservedForProbe:
        detail = "This check is the result of a probe of Switchgate's own."
        raise ProblemError(409, "reserved_for_probe", detail) from None


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
