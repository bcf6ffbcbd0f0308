"""The first questions: audit, switches, gates."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Depends, HTTPException, Request

from app.api.callers import Callers
from app.api.parameters import (
    Cursor,
    DeploymentWord,
    DomainWord,
    KindWord,
    Limit,
    PersonWord,
    PhaseWord,
    Time,
)
from app.api.refusals import REFUSED, unknown_parameter
from app.api.shapes import AuditPage, GatePage, SwitchPage, audit_out, gate_out, switch_out
from app.asked_times import asked_time
from app.record.questions import AuditFilter, NotACursor, Questions


def api_router(questions: Questions, callers: Callers, *, clock: Callable[[], datetime]) -> APIRouter:
    """`/api/v1/…`."""
    guards = [Depends(callers), Depends(_known_words)]
    router = APIRouter(prefix="/api/v1", dependencies=guards, tags=["questions"], responses=REFUSED)

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
        """What happened, newest first. `person` is a Slack user id; `since` counts in, `until` does not."""
        now = clock()
        wanted = AuditFilter(
            domain=domain,
            deployment=deployment,
            person=person,
            kind=kind,
            since=_moment(since, "since", now),
            until=_moment(until, "until", now),
        )
        try:
            page = await questions.audit(wanted, limit=limit, cursor=cursor)
        except NotACursor:
            raise _bad_cursor() from None
        return AuditPage(items=[audit_out(line) for line in page.items], cursor=page.cursor)

    @router.get("/switches")
    async def switches(
        domain: DomainWord = None,
        deployment: DeploymentWord = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> SwitchPage:
        """Switches, newest first."""
        try:
            page = await questions.switches(domain=domain, deployment=deployment, limit=limit, cursor=cursor)
        except NotACursor:
            raise _bad_cursor() from None
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
    unknown = unknown_parameter(request)
    if unknown is not None:
        raise HTTPException(422, unknown)


def _moment(text: str | None, name: str, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        return asked_time(text, now=now)
    except ValueError as trouble:
        # `+09:00` as people paste it arrives as ` 09:00`.
        hint = "; in an address + is written %2B" if " " in text else ""
        raise HTTPException(422, f"{name}: {trouble}{hint}") from None


def _bad_cursor() -> HTTPException:
    what = "cursor: not one that this question gave out."
    return HTTPException(
        422, f"{what} Send the one of the page before as it came, or none for the first page."
    )
