"""`POST /api/v1/switches/{deployment}/withdraw`: the pipeline of a newer build withdraws the switch of an older one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.flow.approval.approval_context import NoSuchGate
from app.flow.approval.request_denied import RequestDenied
from app.flow.approval.withdraw_switch import WithdrawalRequest, withdraw_switch
from app.flow.read_models import GateView
from app.gate.people import Build
from app.gate.rules.denials import AnotherDomain, Denial, IsARollback
from app.gate.state_machine import AlreadyDecided, Awaiting, NotVerified, TooLate
from app.web.api.dependencies import ApiServices, Now, Services, withdrawer
from app.web.api.switch_params import Account, Deployment, Region
from app.web.problems import ProblemError, problem_responses

MAX_GATES: Final = 20
"""Of the newest gates that have one deployment id."""

DETAILS: Final[dict[type[Denial], str]] = {
    NotVerified: "CodeDeploy has not confirmed this deployment yet. Try again in some seconds.",
    TooLate: "The deadline has passed, so it expires now; nothing has to be withdrawn.",
    IsARollback: "This deployment is a rollback. It passes by itself and is never withdrawn.",
    AnotherDomain: "This deployment is not of that application and deployment group.",
}


def _printable(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("has characters that cannot be shown, or blanks around it")
    return value


class WithdrawalIn(BaseModel):
    """For which build, and of which deployment group the switch has to be."""

    model_config = ConfigDict(extra="forbid")

    build: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Name the build that replaces it, as people know it. The card shows it.",
            examples=["klp/order@4f2a1c9d8e7b"],
        ),
        AfterValidator(_printable),
    ]
    application: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Write the CodeDeploy application for which you deploy.",
            examples=["klp-logistics-order-app"],
        ),
    ]
    deployment_group: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Write the deployment group for which you deploy.",
            examples=["klp-logistics-order-dg"],
        ),
    ]
    reason: Annotated[
        str,
        Field(max_length=500, description="Say more, or leave it out.", examples=["fixes the rounding"]),
    ] = ""


class WithdrawalOut(BaseModel):
    """The gate that was withdrawn. CodeDeploy is told `Failed` after this answer."""

    deployment_id: str
    account: str
    region: str
    domain: str | None
    gate_id: str
    build: str
    by: str


router = APIRouter(
    prefix="/api/v1/switches/{deployment}",
    tags=["switches"],
    responses=problem_responses(401, 403, 404, 409, 413, 415, 422, 429, 503),
)


@router.post("/withdraw")
async def withdraw(
    deployment: Deployment,
    wanted: WithdrawalIn,
    token: Annotated[str, Depends(withdrawer)],
    services: Services,
    now: Now,
    account: Account = None,
    region: Region = None,
) -> WithdrawalOut:
    """Withdraws a switch that nobody has decided. The same token may ask again for the same build.

    A rollback is never withdrawn: problem `is_a_rollback`."""
    gate = await _gate_of(deployment, account=account, region=region, services=services)
    request = WithdrawalRequest(
        gate=gate.id,
        by=Build(
            token=token,
            name=wanted.build,
            application=wanted.application,
            deployment_group=wanted.deployment_group,
        ),
        reason=wanted.reason.replace("\x00", ""),
    )
    await _withdraw(request, services=services, now=now)
    key = gate.switch.key
    return WithdrawalOut(
        deployment_id=key.deployment,
        account=key.account,
        region=key.region,
        domain=gate.switch.domain,
        gate_id=str(gate.id),
        build=wanted.build,
        by=token,
    )


async def _gate_of(
    deployment: str, *, account: str | None, region: str | None, services: ApiServices
) -> GateView:
    """The switch's gate that waits, else its latest one."""
    views = await services.queries.gates_of(deployment=deployment, limit=MAX_GATES)
    there = [
        view
        for view in views
        if view.switch.key.region == (region or services.region)
        and (account is None or view.switch.key.account == account)
    ]
    if not there:
        raise _no_such_switch()
    if len({view.switch.key for view in there}) > 1:
        raise ProblemError(409, "ambiguous", "Several accounts have this deployment: say `?account=`.")
    return _waiting(there) or there[0]


def _waiting(views: Sequence[GateView]) -> GateView | None:
    return next((view for view in views if isinstance(view.gate, Awaiting)), None)


async def _withdraw(request: WithdrawalRequest, *, services: ApiServices, now: datetime) -> None:
    try:
        await withdraw_switch(request, repository=services.gates, rules=services.rules, now=now)
    except RequestDenied as exc:
        raise _problem(exc) from None
    services.wakeups.notify("gate_decided")


def _problem(denied: RequestDenied) -> ProblemError:
    denial = denied.denial
    if isinstance(denial, NoSuchGate):
        return _no_such_switch()
    if isinstance(denial, AlreadyDecided):
        gate = denied.view.gate if denied.view else None
        how = f" ({gate.verdict})" if gate is not None and not isinstance(gate, Awaiting) else ""
        return ProblemError(409, denial.code, f"This switch is decided already{how}. Nothing changed.")
    return ProblemError(409, denial.code, DETAILS[type(denial)])


def _no_such_switch() -> ProblemError:
    return ProblemError(404, "no_such_switch", "No gate of this deployment is known here.")
