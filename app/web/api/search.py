"""`GET /api/v1/audit`, `/switches` and `/gates`: searched by filters, a page at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.db.queries.audit_filter import deployment_id, time_range
from app.db.queries.audit_trail import AuditFilter
from app.db.queries.pages import NotACursor
from app.db.queries.search import Queries
from app.web.api.dependencies import Now, Services, reader
from app.web.api.query_params import AuditParams, GateParams, SwitchParams
from app.web.api.schemas import AuditPage, GatePage, SwitchPage, audit_out, gate_out, switch_out
from app.web.problems import FieldError, invalid, invalid_field, problem_responses

router = APIRouter(
    prefix="/api/v1",
    dependencies=[Depends(reader)],
    tags=["search"],
    responses=problem_responses(401, 403, 422, 429, 503),
)


@router.get("/audit")
async def get_audit(params: Annotated[AuditParams, Query()], services: Services, now: Now) -> AuditPage:
    """What happened, newest first. `since` counts in, `until` does not."""
    wanted = await _audit_filter(params, services.queries, now)
    with _cursor_checked():
        page = await services.queries.audit(wanted, limit=params.limit, cursor=params.cursor)
    return AuditPage(items=[audit_out(line) for line in page.items], cursor=page.cursor)


@router.get("/switches")
async def get_switches(params: Annotated[SwitchParams, Query()], services: Services) -> SwitchPage:
    """Switches, newest first."""
    deployment = _deployment(params.deployment)
    with _cursor_checked():
        page = await services.queries.switches(
            domain=params.domain, deployment=deployment, limit=params.limit, cursor=params.cursor
        )
    return SwitchPage(items=[switch_out(switch) for switch in page.items], cursor=page.cursor)


@router.get("/gates")
async def get_gates(params: Annotated[GateParams, Query()], services: Services) -> GatePage:
    """Gates, newest first."""
    deployment = _deployment(params.deployment)
    with _cursor_checked():
        page = await services.queries.gates(
            domain=params.domain,
            deployment=deployment,
            phase=params.phase,
            limit=params.limit,
            cursor=params.cursor,
        )
    return GatePage(items=[gate_out(view) for view in page.items], cursor=page.cursor)


async def _audit_filter(params: AuditParams, queries: Queries, now: datetime) -> AuditFilter:
    since, until = _range(params.since, params.until, now)
    return AuditFilter(
        domain=params.domain,
        deployment=_deployment(params.deployment),
        person=await _person(params.person, queries),
        kind=params.kind,
        since=since,
        until=until,
    )


def _deployment(text: str | None) -> str | None:
    try:
        return deployment_id(text) if text is not None else None
    except ValueError as exc:
        raise invalid([FieldError(field="deployment", detail=str(exc))]) from None


async def _person(text: str | None, queries: Queries) -> str | None:
    try:
        return await queries.user_named(text) if text is not None else None
    except ValueError as exc:
        raise invalid([FieldError(field="person", detail=str(exc))]) from None


def _range(since: str | None, until: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    try:
        return time_range(since, until, now=now)
    except ValueError as exc:
        # `+09:00` as people paste it arrives as ` 09:00`.
        hint = "; in an address + is written %2B" if " " in f"{since or ''}{until or ''}" else ""
        raise invalid_field(f"{exc}{hint}") from None


@contextmanager
def _cursor_checked() -> Iterator[None]:
    try:
        yield
    except NotACursor:
        what = "not one that this search gave out."
        detail = f"{what} Send the one of the page before as it came, or none for the first page."
        raise invalid([FieldError(field="cursor", detail=detail)]) from None
