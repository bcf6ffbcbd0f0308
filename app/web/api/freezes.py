"""`/api/v1/freezes`: declared, listed and lifted by machines."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.config.environment_values import Scope
from app.db.repositories.freezes import Freezes
from app.flow.audit_events import api_actor
from app.flow.freezes.declare_freeze import (
    MAX_REASON_CHARS,
    EndsBeforeStart,
    EndsInThePast,
    FreezeReasonMissing,
    TooLong,
    declare_freeze,
)
from app.flow.freezes.freeze_record import ActiveFreeze, Declaration, InvalidFreeze, UnknownDomains
from app.flow.freezes.lift_freeze import lift_freeze
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName
from app.gate.rules.freeze import Span
from app.web.api.auth import TokenAuth
from app.web.api.bodies import read_body
from app.web.api.error_responses import VALIDATION_ERROR_RESPONSES
from app.workers.wakeups import Wakeups

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

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": FreezeIn.model_json_schema()}},
    }
}


def freezes_router(
    freezes: Freezes,
    callers: TokenAuth,
    *,
    rules: Rules,
    wakeups: Wakeups,
    clock: Callable[[], datetime],
) -> APIRouter:
    """The routes that read and write freezes."""
    router = APIRouter(prefix="/api/v1/freezes", tags=["freezes"], responses=VALIDATION_ERROR_RESPONSES)

    @router.get("", dependencies=[Depends(callers)])
    async def get_freezes() -> FreezeList:
        """The record's freezes that are not over; those of the configuration stand there."""
        return FreezeList(items=[_out(each) for each in await freezes.active()])

    @router.post("", status_code=201, openapi_extra=BODY)
    async def post_freeze(
        request: Request, by: Annotated[str, Depends(callers.require_scope(Scope.FREEZES))]
    ) -> FreezeOut:
        """Declares a freeze. Overlapping ones all stand; the last end counts."""
        found = await read_body(request, FreezeIn)
        now = clock()
        declaration = Declaration(
            domains=tuple(map(DomainName, found.domains)) if found.domains is not None else None,
            start=found.start or now,
            end=found.until,
            reason=found.reason.replace("\x00", ""),
            by=f"api:{by}",
        )
        try:
            declared = await declare_freeze(
                declaration, who=api_actor(by), record=freezes, rules=rules, now=now
            )
        except UnknownDomains as exc:
            raise HTTPException(422, f"domains: not configured: {', '.join(exc.names)}") from None
        except InvalidFreeze as exc:
            raise HTTPException(422, WRONG[type(exc)]) from None
        wakeups.notify("freeze_changed")
        return FreezeOut(
            id=declared.id,
            domains=found.domains,
            starts_at=declaration.start,
            ends_at=declaration.end,
            reason=declaration.reason,
            by=declaration.by,
        )

    @router.delete("/{number}", status_code=204)
    async def delete_freeze(
        number: Number, by: Annotated[str, Depends(callers.require_scope(Scope.FREEZES))]
    ) -> None:
        """Lifts one before its end."""
        if not 0 < number < 2**63 or not await lift_freeze(
            number, who=api_actor(by), record=freezes, now=clock()
        ):
            raise HTTPException(404, "No such freeze stands.")
        wakeups.notify("freeze_changed")

    return router


def _out(active: ActiveFreeze) -> FreezeOut:
    freeze = active.freeze
    if not isinstance(freeze.when, Span):
        raise TypeError("the record holds spans only")
    return FreezeOut(
        id=freeze.id or 0,
        domains=list(active.domains) if active.domains is not None else None,
        starts_at=freeze.when.start,
        ends_at=freeze.when.end,
        reason=freeze.reason,
        by=freeze.by or "",
    )
