"""`switchgate audit`: the trail as a table, or as JSON lines."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Final

from app.flow.events import Kind
from app.record.database import Database
from app.record.questions import AuditFilter, AuditLine, Questions

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


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


def _cells(line: AuditLine) -> tuple[str, str, str, str, str, str]:
    detail = ", ".join(f"{name}={value}" for name, value in line.detail.items() if value not in (None, ""))
    who = line.actor_name or line.actor or line.actor_kind
    at = line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    shown = " ".join(detail.split())
    return at, line.domain or "-", line.deployment_id, line.kind, who, shown


def _moment(text: str | None, option: str, now: datetime) -> datetime | None:
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{option}: {text!r} is no time; write 2026-11-24T14:05+09:00, or 90m, 2h, 3d"
        ) from None
    if at.tzinfo is None:
        raise ValueError(f"{option}: say the zone too, for example {text}+09:00 or {text}Z")
    return at
