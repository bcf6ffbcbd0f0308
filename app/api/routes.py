"""The first questions: audit, switches, gates."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.routing import APIRoute

from app.api.callers import Callers
from app.api.shapes import AuditPage, GatePage, SwitchPage, audit_out, gate_out, switch_out
from app.flow.events import Kind
from app.gate.states import Phase
from app.record.questions import AuditFilter, NotACursor, Questions

Limit = Annotated[int, Query(ge=1, le=500, description="Items a page.")]
Cursor = Annotated[str | None, Query(max_length=400, description="From the page before.")]
Word = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


def api_router(questions: Questions, callers: Callers) -> APIRouter:
    """`/api/v1/…`."""
    router = APIRouter(
        prefix="/api/v1", dependencies=[Depends(callers), Depends(_known_words)], tags=["questions"]
    )

    @router.get("/audit")
    async def audit(
        domain: Word = None,
        deployment: Word = None,
        person: Word = None,
        kind: Kind | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> AuditPage:
        """What happened, newest first. `person` is a Slack user id; times carry a zone."""
        wanted = AuditFilter(
            domain=domain,
            deployment=deployment,
            person=person,
            kind=kind,
            since=_aware(since, "since"),
            until=_aware(until, "until"),
        )
        try:
            page = await questions.audit(wanted, limit=limit, cursor=cursor)
        except NotACursor:
            raise _bad_cursor() from None
        return AuditPage(items=[audit_out(line) for line in page.items], cursor=page.cursor)

    @router.get("/switches")
    async def switches(
        domain: Word = None, deployment: Word = None, limit: Limit = 100, cursor: Cursor = None
    ) -> SwitchPage:
        """Switches, newest first."""
        try:
            page = await questions.switches(domain=domain, deployment=deployment, limit=limit, cursor=cursor)
        except NotACursor:
            raise _bad_cursor() from None
        return SwitchPage(items=[switch_out(switch) for switch in page.items], cursor=page.cursor)

    @router.get("/gates")
    async def gates(
        domain: Word = None,
        deployment: Word = None,
        phase: Phase | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> GatePage:
        """Gates, newest first."""
        try:
            page = await questions.gates(
                domain=domain, deployment=deployment, phase=phase, limit=limit, cursor=cursor
            )
        except NotACursor:
            raise _bad_cursor() from None
        return GatePage(items=[gate_out(view) for view in page.items], cursor=page.cursor)

    return router


async def _known_words(request: Request) -> None:
    """A misspelt filter must not be answered with everything."""
    route: APIRoute = request.scope["route"]
    known = [field.alias for field in route.dependant.query_params]
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise HTTPException(422, f"{unknown[0][:80]}: no such filter here; known: {', '.join(known)}")


def _aware(at: datetime | None, name: str) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise HTTPException(422, f"{name}: say the zone too, for example 2026-11-24T14:05:00+09:00")
    return at


def _bad_cursor() -> HTTPException:
    return HTTPException(422, "cursor: not one that this question gave out; ask again without it")
