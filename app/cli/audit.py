"""`switchgate audit`: the trail as a table, or as JSON lines."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from app.asked_times import asked_time
from app.flow.declare_freeze import ALL
from app.flow.events import Kind
from app.record.database import Database
from app.record.questions import AuditFilter, AuditLine, Questions


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
    if kind is not None and kind not in list(Kind):
        raise ValueError(f"--kind: {kind!r} is none of {', '.join(Kind)}")
    now = datetime.now(UTC)
    wanted = AuditFilter(
        domain=domain,
        deployment=deployment,
        person=person,
        kind=kind,
        since=_moment(since, "--since", now),
        until=_moment(until, "--until", now),
    )
    database = Database(url)
    try:
        page = await Questions(database).audit(wanted, limit=limit)
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
    """Whether an event is this very domain's. Freezes of all domains are told of any name, a misspelt one too."""
    for line in lines:
        frozen = str(line.detail.get("domains") or "").split()
        if line.domain == domain or (domain in frozen and ALL not in frozen):
            return True
    return False


def _cells(line: AuditLine) -> tuple[str, str, str, str, str, str]:
    detail = ", ".join(f"{name}={value}" for name, value in line.detail.items() if value not in (None, ""))
    who = line.actor_name or line.actor or line.actor_kind
    at = line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    shown = " ".join(detail.split())
    return at, line.domain or "-", line.deployment_id, line.kind, who, shown


def _moment(text: str | None, option: str, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        return asked_time(text, now=now)
    except ValueError as trouble:
        raise ValueError(f"{option}: {trouble}") from None
