"""The audit trail: which events match a filter, newest first."""

from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, func, select, true, tuple_, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.audit_table import audit_events
from app.db.queries.pages import equality_conditions, first, in_utc, time_literal, unchanged
from app.flow.audit_events import Kind, known_kind, stored_kinds
from app.flow.freezes.stored_freezes import ALL_DOMAINS, NO_DEPLOYMENT


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditLine:
    """One audit event as it is shown."""

    id: int
    at: datetime
    kind: str
    account: str
    region: str
    deployment_id: str
    domain: str | None
    gate_id: str | None
    actor_kind: str
    actor: str | None
    actor_name: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """The filter; None means any. `since` is inclusive, `until` exclusive."""

    domain: str | None = None
    deployment: str | None = None
    person: str | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None


def audit_select(
    wanted: AuditFilter, *, before: tuple[datetime, int] | None = None, limit: int
) -> Select[Any]:
    """The newest matching events; for one domain also the freezes that include it.

    Each of the two, and each name that rows have for the kind, is read by an index: an OR would scan the whole trail.
    """
    equal = {"deployment_id": wanted.deployment, "actor": wanted.person}
    conditions = equality_conditions(audit_events, equal)
    kinds = [audit_events.c.kind == kind for kind in stored_kinds(wanted.kind)] if wanted.kind else [true()]
    order = in_utc if wanted.domain is None and wanted.kind is None and not conditions else unchanged
    newest, id_ = order(audit_events.c.at), audit_events.c.id
    if wanted.since is not None:
        conditions.append(newest >= order(time_literal(wanted.since)))
    if wanted.until is not None:
        conditions.append(newest < order(time_literal(wanted.until)))
    if before is not None:
        conditions.append(tuple_(newest, id_) < tuple_(order(time_literal(before[0])), before[1]))
    domain = wanted.domain
    subjects = (
        [audit_events.c.domain == domain, _frozen_with_others(domain)] if domain is not None else [true()]
    )
    parts = [
        first(select(audit_events).where(*each, *conditions), newest.desc(), id_.desc(), limit=limit)
        for each in product(subjects, kinds)
    ]
    if len(parts) == 1:
        return parts[0]
    merged = union_all(*parts).subquery()
    return first(select(merged), merged.c.at.desc(), merged.c.id.desc(), limit=limit)


def _frozen_with_others(domain: str) -> ColumnElement[bool]:
    """A freeze of several or all domains has the names in `detail` and belongs to no deployment."""
    events = audit_events.c
    names = func.string_to_array(events.detail["domains"].astext, " ", type_=ARRAY(Text))
    return and_(
        events.deployment_id == NO_DEPLOYMENT.deployment,
        events.domain.is_(None),
        names.overlap([domain, ALL_DOMAINS]),
    )


def audit_line_from_row(row: Any) -> AuditLine:
    return AuditLine(
        id=row.id,
        at=row.at,
        kind=known_kind(row.kind) or row.kind,
        account=row.account,
        region=row.region,
        deployment_id=row.deployment_id,
        domain=row.domain,
        gate_id=str(row.gate_id) if row.gate_id else None,
        actor_kind=row.actor_kind,
        actor=row.actor,
        actor_name=row.actor_name,
        detail=row.detail,
    )
