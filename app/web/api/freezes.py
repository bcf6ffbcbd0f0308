"""`/api/v1/freezes`: declared, listed and lifted by machines."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.flow.audit_events import api_actor
from app.flow.freezes.declare_freeze import (
    MAX_REASON_CHARS,
    EndsBeforeStart,
    EndsInThePast,
    FreezeReasonMissing,
    TooLong,
    declare_freeze,
)
from app.flow.freezes.lift_freeze import lift_freeze
from app.flow.freezes.stored_freezes import ActiveFreeze, Declaration, InvalidFreeze, UnknownDomains
from app.gate.ids import DomainName
from app.gate.rules.freeze import Span
from app.web.api.dependencies import Now, Services, freezer, reader
from app.web.problems import ProblemError, invalid_field, problem_responses

WRONG: Final[dict[type[InvalidFreeze], str]] = {
    EndsBeforeStart: "until: is not after from",
    EndsInThePast: "until: is over already",
    TooLong: "until: more than a year after from",
    FreezeReasonMissing: "reason: say why",
}


class FreezeIn(BaseModel):
    """What is frozen, from when until when, and why."""

    model_config = ConfigDict(extra="forbid")

    domains: Annotated[
        list[str] | None,
        Field(
            min_length=1,
            max_length=200,
            description="Write the names of domains, or leave it out for all of them.",
            examples=[["order", "payment"]],
        ),
    ] = None
    start: Annotated[
        AwareDatetime | None,
        Field(
            alias="from",
            description="Write a time with its zone, or leave it out for now.",
            examples=["2026-11-24T18:00+09:00"],
        ),
    ] = None
    until: Annotated[
        AwareDatetime,
        Field(description="Write a time with its zone.", examples=["2026-11-24T20:00+09:00"]),
    ]
    reason: Annotated[
        str,
        Field(
            max_length=MAX_REASON_CHARS, description="Say why, in a sentence.", examples=["payment incident"]
        ),
    ]


class FreezeOut(BaseModel):
    """A freeze that is not over."""

    id: int
    domains: list[str] | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    by: str


class FreezeList(BaseModel):
    items: list[FreezeOut]


Number = Annotated[int, Path(description="Write the freeze's `id`, as the list tells it.", examples=["7"])]

router = APIRouter(
    prefix="/api/v1/freezes", tags=["freezes"], responses=problem_responses(401, 403, 422, 429, 503)
)


@router.get("", dependencies=[Depends(reader)])
async def get_freezes(services: Services) -> FreezeList:
    """The declared freezes that are not over. Freezes of the configuration are not listed."""
    return FreezeList(items=[_out(each) for each in await services.freezes.active()])


@router.post("", status_code=201, responses=problem_responses(413, 415))
async def post_freeze(
    wanted: FreezeIn, by: Annotated[str, Depends(freezer)], services: Services, now: Now
) -> FreezeOut:
    """Declares a freeze. Overlapping ones all stand; the last end counts."""
    declaration = Declaration(
        domains=tuple(map(DomainName, wanted.domains)) if wanted.domains is not None else None,
        start=wanted.start or now,
        end=wanted.until,
        reason=wanted.reason.replace("\x00", ""),
        by=f"api:{by}",
    )
    try:
        declared = await declare_freeze(
            declaration, who=api_actor(by), repository=services.freezes, rules=services.rules, now=now
        )
    except UnknownDomains as exc:
        raise invalid_field(f"domains: not configured: {', '.join(exc.names)}") from None
    except InvalidFreeze as exc:
        raise invalid_field(WRONG[type(exc)]) from None
    services.wakeups.notify("freeze_changed")
    return FreezeOut(
        id=declared.id,
        domains=wanted.domains,
        starts_at=declaration.start,
        ends_at=declaration.end,
        reason=declaration.reason,
        by=declaration.by,
    )


@router.delete("/{number}", status_code=204, responses=problem_responses(404))
async def delete_freeze(
    number: Number, by: Annotated[str, Depends(freezer)], services: Services, now: Now
) -> None:
    """Lifts one before its end."""
    if not 0 < number < 2**63 or not await lift_freeze(
        number, who=api_actor(by), repository=services.freezes, rules=services.rules, now=now
    ):
        raise ProblemError(404, "no_such_freeze", "No such freeze stands.")
    services.wakeups.notify("freeze_changed")


def _out(active: ActiveFreeze) -> FreezeOut:
    freeze = active.freeze
    if not isinstance(freeze.when, Span):
        raise TypeError("only spans are stored")
    return FreezeOut(
        id=freeze.id or 0,
        domains=list(active.domains) if active.domains is not None else None,
        starts_at=freeze.when.start,
        ends_at=freeze.when.end,
        reason=freeze.reason,
        by=freeze.by or "",
    )
