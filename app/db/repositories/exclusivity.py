"""Related switches of other domains, and the exclusivity lock."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    column,
    func,
    not_,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.database import Database
from app.db.expressions import EMPTY, ONE, is_among
from app.db.gate_view import IS_AWAITING
from app.db.mapping.rows import IncoherentRow, traffic_from_json
from app.db.tables import gates, switches
from app.gate.ids import DeploymentId, DomainName
from app.gate.rules.exclusivity import AFTER_ALLOW_TRAFFIC, FailedEnd, RelatedSwitch
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS

EXCLUSIVITY_LOCK: Final = select(func.pg_advisory_xact_lock(1902, 1))
"""Held until the commit by a transaction that approves under exclusivity, so that the second of two sees the first.

One lock for all sets: replicas whose configurations differ for a moment still exclude each other. Take it after the
audit lock and the rows of the gate; its holder waits for no other lock. Two-number keys do not collide with the
one-number keys of the audit locks.
"""

_ANSWERED_ELSEWHERE: Final = and_(
    gates.c.verdict != "approved", func.coalesce(gates.c.outcome_detail, EMPTY) == "Succeeded"
)
"""CodeDeploy was answered outside Switchgate: traffic moves whatever was decided here."""

_LET_THROUGH: Final = or_(
    and_(
        gates.c.verdict == "approved",
        gates.c.basis.not_in(["auto_rollback", "undo"]),
        func.coalesce(gates.c.outcome, "acknowledged") == "acknowledged",
    ),
    _ANSWERED_ELSEWHERE,
)
_WITHDRAWN_BY_SOMEBODY: Final = and_(gates.c.verdict == "withdrawn", gates.c.decided_name.is_not(None))
_REFUSED: Final = and_(
    or_(gates.c.verdict.in_(["rejected", "expired"]), _WITHDRAWN_BY_SOMEBODY), not_(_ANSWERED_ELSEWHERE)
)

_gates = (
    select(
        func.min(gates.c.opened_at).filter(IS_AWAITING).label("waiting_since"),
        func.max(gates.c.decided_at).filter(_LET_THROUGH).label("approved_at"),
        func.max(gates.c.decided_at).filter(_REFUSED).label("refused_at"),
        func.max(gates.c.verdict).filter(_REFUSED).label("refused"),
        func.bool_or(gates.c.hook_name == bindparam("after_traffic")).label("after_traffic"),
    )
    .where(gates.c.switch_id == switches.c.id)
    .lateral("of_switch")
)


def _is_deployment(switch: FromClause) -> ColumnElement[bool]:
    """It is no automatic rollback."""
    return func.coalesce(switch.c.creator, EMPTY) != all_(bindparam("rescuers", type_=ARRAY(Text)))


_DOMAINS: Final = bindparam("domains", type_=ARRAY(Text))
_any_switch = switches.alias("any_switch")
_live = select(_any_switch.c.id).where(
    _any_switch.c.domain == any_(_DOMAINS), _any_switch.c.ended_at.is_(None)
)
_domain = func.unnest(_DOMAINS).table_valued(column("domain", Text), name="domain_names").render_derived()
_last = (
    select(_any_switch.c.id)
    .where(_any_switch.c.domain == _domain.c.domain, _is_deployment(_any_switch))
    .order_by(-_any_switch.c.id)
    .limit(ONE)
    .lateral("last")
)

# A partial index holds the few live ones. The last one of each domain shows how the previous switch ended.
RELATED_SWITCHES: Final = (
    select(
        *(switches.c[name] for name in ("domain", "deployment_id", "traffic", "green_percent")),
        *(switches.c[name] for name in ("switched_at", "ended_at")),
        *(_gates.c[name] for name in ("waiting_since", "approved_at", "refused", "after_traffic")),
        func.greatest(
            _gates.c.approved_at,
            _gates.c.refused_at,
            switches.c.traffic_changed_at,
            switches.c.switched_at,
            switches.c.blue_until,
        ).label("last_observed_at"),
    )
    .select_from(switches)
    .join(_gates, true())
    .where(
        switches.c.verified_at.is_not(None),
        _is_deployment(switches),
        is_among(switches.c.id, union(_live, select(_last.c.id).select_from(_domain).join(_last, true()))),
    )
    .order_by(switches.c.id)
)


async def related_switches(database: Database, domains: Sequence[DomainName]) -> list[RelatedSwitch]:
    """These domains' switches that live, and the last one of each, the oldest first."""
    rows = await database.execute(RELATED_SWITCHES, **related_switches_parameters(domains))
    return [related_switch_from_row(row) for row in rows]


def related_switches_parameters(domains: Sequence[DomainName]) -> dict[str, Any]:
    """The values of `RELATED_SWITCHES`."""
    return {
        "domains": list(domains),
        "rescuers": sorted(AUTO_ROLLBACK_CREATORS),
        "after_traffic": AFTER_ALLOW_TRAFFIC,
    }


def related_switch_from_row(row: Any) -> RelatedSwitch:
    """A row of `RELATED_SWITCHES`. An unreadable traffic value is dropped; the switch still counts."""
    try:
        traffic = traffic_from_json(row.traffic)
    except IncoherentRow:
        traffic = None
    return RelatedSwitch(
        domain=DomainName(row.domain),
        deployment=DeploymentId(row.deployment_id),
        waiting_since=row.waiting_since,
        approved_at=row.approved_at,
        refused=FailedEnd(row.refused) if row.refused else None,
        moved=bool(row.green_percent or row.after_traffic),
        switched_at=row.switched_at,
        ended_at=row.ended_at,
        last_observed_at=row.last_observed_at,
        pause=timedelta(minutes=traffic.minutes if traffic else 0),
    )
