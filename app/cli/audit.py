"""`switchgate audit`: the audit trail as a table, or as JSON lines."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from app.db.database import Database
from app.db.queries.audit_filter import deployment_id, time_range
from app.db.queries.audit_trail import AuditFilter, AuditLine
from app.db.queries.search import Queries
from app.flow.audit_events import Kind, known_kind
from app.flow.freezes.stored_freezes import ALL_DOMAINS


async def read_audit(
    url: str,
    *,
    domain: str | None,
    deployment: str | None,
    person: str | None,
    kind: str | None,
    since: str | None,
    until: str | None,
    limit: int,
) -> Sequence[AuditLine]:
    """The events asked for, newest first. Raises `ValueError` naming the option."""
    if kind is not None and known_kind(kind) is None:
        raise ValueError(f"--kind: {kind!r} is none of {', '.join(Kind)}")
    begins, ends = time_range(since, until, now=datetime.now(UTC), names=("--since", "--until"))
    wanted = AuditFilter(
        domain=domain,
        deployment=_deployment(deployment),
        kind=Kind(kind) if kind is not None else None,
        since=begins,
        until=ends,
    )
    database = Database(url)
    try:
        queries = Queries(database)
        page = await queries.audit(replace(wanted, person=await _person(person, queries)), limit=limit)
    finally:
        await database.close()
    return page.items


def audit_table(lines: Sequence[AuditLine], *, as_json: bool) -> str:
    """One event a line."""
    if as_json:
        return "\n".join(json.dumps(asdict(line), default=str, ensure_ascii=False) for line in lines)
    if not lines:
        return "Nothing happened that fits."
    head = ("at (UTC)", "domain", "deployment", "what", "who", "detail")
    rows = [head, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]).rstrip()
        for row in rows
    )


def names_domain(lines: Sequence[AuditLine], domain: str) -> bool:
    """Whether an event is of this domain. Freezes of all domains match any name, also a misspelt one."""
    for line in lines:
        frozen = str(line.detail.get("domains") or "").split()
        if line.domain == domain or (domain in frozen and ALL_DOMAINS not in frozen):
            return True
    return False


def _cells(line: AuditLine) -> tuple[str, str, str, str, str, str]:
    detail = ", ".join(f"{name}={value}" for name, value in line.detail.items() if value not in (None, ""))
    who = line.actor_name or line.actor or line.actor_kind
    at = line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    shown = " ".join(detail.split())
    return at, line.domain or "-", line.deployment_id, line.kind, who, shown


def _deployment(text: str | None) -> str | None:
    try:
        return deployment_id(text) if text is not None else None
    except ValueError as exc:
        raise ValueError(f"--deployment: {exc}") from None


async def _person(text: str | None, queries: Queries) -> str | None:
    try:
        return await queries.user_named(text, former=True) if text is not None else None
    except ValueError as exc:
        raise ValueError(f"--person: {exc}") from None
