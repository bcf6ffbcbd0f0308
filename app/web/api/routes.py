"""The first queries: audit, switches, gates."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from fastapi import APIRouter, Depends, HTTPException, Request

from app.db.queries.audit_filter import deployment_id, time_range
from app.db.queries.search import AuditFilter, NotACursor, Queries
from app.web.api.auth import TokenAuth
from app.web.api.error_responses import VALIDATION_ERROR_RESPONSES, unknown_parameter
from app.web.api.query_params import (
    Cursor,
    DeploymentWord,
    DomainWord,
    KindWord,
    Limit,
    PersonWord,
    PhaseWord,
    Time,
)
from app.web.api.schemas import AuditPage, GatePage, SwitchPage, audit_out, gate_out, switch_out


def api_router(queries: Queries, callers: TokenAuth, *, clock: Callable[[], datetime]) -> APIRouter:
    """`/api/v1/…`."""
    guards = [Depends(callers), Depends(_known_words)]
    router = APIRouter(
        prefix="/api/v1", dependencies=guards, tags=["questions"], responses=VALIDATION_ERROR_RESPONSES
    )

    @router.get("/audit")
    async def audit(
        domain: DomainWord = None,
        deployment: DeploymentWord = None,
        person: PersonWord = None,
        kind: KindWord = None,
        since: Time = None,
        until: Time = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> AuditPage:
        """What happened, newest first. `since` counts in, `until` does not."""
        begins, ends = _range(since, until, clock())
        wanted = AuditFilter(
            domain=domain,
            deployment=_deployment(deployment),
            person=await _person(person, queries),
            kind=kind,
            since=begins,
            until=ends,
        )
        with _cursor_checked():
            page = await queries.audit(wanted, limit=limit, cursor=cursor)
        return AuditPage(items=[audit_out(line) for line in page.items], cursor=page.cursor)

    @router.get("/switches")
    async def switches(
        domain: DomainWord = None,
        deployment: DeploymentWord = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> SwitchPage:
        """Switches, newest first."""
        with _cursor_checked():
            page = await queries.switches(
                domain=domain, deployment=_deployment(deployment), limit=limit, cursor=cursor
            )
        return SwitchPage(items=[switch_out(switch) for switch in page.items], cursor=page.cursor)

    @router.get("/gates")
    async def gates(
        domain: DomainWord = None,
        deployment: DeploymentWord = None,
        phase: PhaseWord = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> GatePage:
        """Gates, newest first."""
        with _cursor_checked():
            page = await queries.gates(
                domain=domain, deployment=_deployment(deployment), phase=phase, limit=limit, cursor=cursor
            )
        return GatePage(items=[gate_out(view) for view in page.items], cursor=page.cursor)

    return router


async def _known_words(request: Request) -> None:
    """A misspelt filter must not be answered with everything."""
    unknown = unknown_parameter(request)
    if unknown is not None:
        raise HTTPException(422, unknown)


def _deployment(text: str | None) -> str | None:
    try:
        return deployment_id(text) if text is not None else None
    except ValueError as exc:
        raise HTTPException(422, f"deployment: {exc}") from None


async def _person(text: str | None, queries: Queries) -> str | None:
    try:
        return await queries.user_named(text) if text is not None else None
    except ValueError as exc:
        raise HTTPException(422, f"person: {exc}") from None


def _range(since: str | None, until: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    try:
        return time_range(since, until, now=now)
    except ValueError as exc:
        # `+09:00` as people paste it arrives as ` 09:00`.
        hint = "; in an address + is written %2B" if " " in f"{since or ''}{until or ''}" else ""
        raise HTTPException(422, f"{exc}{hint}") from None


@contextmanager
def _cursor_checked() -> Iterator[None]:
    try:
        yield
    except NotACursor:
        what = "cursor: not one that this question gave out."
        raise HTTPException(
            422, f"{what} Send the one of the page before as it came, or none for the first page."
        ) from None
