"""The gate view: one query that reads a gate with its switch and everything that is shown or evaluated with it."""

from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    ScalarSelect,
    Select,
    Table,
    and_,
    any_,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.sql.selectable import NamedFromClause

from app.db.expressions import EMPTY, ONE
from app.db.tables import checks, evidence, freezes, gates, interventions, reports, switches, votes
from app.flow.read_models import MIN_VISIBLE_DELAY

SUCCEEDED: Final[ColumnElement[str]] = literal_column("'Succeeded'")

IS_AWAITING: Final = gates.c.phase == literal_column("'awaiting'")
"""As a literal, because the partial indexes of `gates` have it."""

SWITCH_COLUMNS: Final = (
    switches.c.id.label("switch_id"),
    *(
        switches.c[name]
        for name in (
            *("account", "region", "deployment_id", "domain", "application", "deployment_group", "creator"),
            *("deployed_by", "deployer", "named_deployers", "description", "config_name", "traffic"),
            *("listener_port", "hook_started_at", "deployment_created_at", "rollback_of", "status"),
            *(
                "first_seen_at",
                "verified_at",
                "ended_at",
                "end_reason",
                "green_percent",
                "traffic_changed_at",
            ),
            *("switched_at", "blue_until", "rollback_id", "previous_revision", "previous_obstacle"),
            *("auto_rollback", "traffic_read_at", "traffic_unknown", "shift_ended_at"),
        )
    ),
)
"""Of `switches`; see `app.db.mapping.rows.switch_from_row`."""

_GATE_COLUMNS: Final = tuple(
    gates.c[name]
    for name in (
        *("id", "hook_name", "phase", "prompt_version", "version", "opened_at", "deadline_at", "verdict"),
        *("basis", "decided_at", "decided_by", "decided_name", "reason", "overridden_rules", "outcome"),
        *("outcome_detail", "reported_at", "event_read_at", "reminded_at", "shown_by", "returns", "observed"),
    )
)
_rollback = switches.alias("rollback")
_newer = switches.alias("newer")


def as_json(table: NamedFromClause) -> ColumnElement[Any]:
    """The row as a JSON object, by the names of its columns."""
    return func.to_jsonb(table.table_valued(), type_=JSONB)


def _rows_as_json(table: Table, *where: ColumnElement[bool], order_by: Column[Any]) -> ScalarSelect[Any]:
    """The matching rows as a JSON array; NULL where there are none."""
    rows = func.jsonb_agg(aggregate_order_by(as_json(table), order_by), type_=JSONB)
    return select(rows).where(*where).correlate(gates, switches).scalar_subquery()


_original = switches.alias("original")


def undo_that_created(
    deployment: ColumnElement[str], *, account: ColumnElement[str], region: ColumnElement[str]
) -> tuple[ColumnElement[bool], ...]:
    """Conditions on `interventions`: it is the undo that created this deployment."""
    return (
        interventions.c.deployment_id == deployment,
        interventions.c.kind == "redeploy",
        _original.c.id == interventions.c.switch_id,
        _original.c.account == account,
        _original.c.region == region,
    )


def blue_task_definition() -> ScalarSelect[str]:
    """The task definition of blue, as last read for the row of `switches`."""
    name = evidence.c.seen["blue"]["task_definition"].astext
    return (
        select(name)
        .join_from(evidence, gates, gates.c.id == evidence.c.gate_id)
        .where(gates.c.switch_id == switches.c.id, name.is_not(None))
        .order_by(gates.c.opened_at.desc())
        .limit(ONE)
        .correlate(switches)
        .scalar_subquery()
    )


_REPORT_ERROR: Final = (
    select(reports.c.last_error)
    .where(reports.c.gate_id == gates.c.id, reports.c.due_at > gates.c.decided_at + MIN_VISIBLE_DELAY)
    .correlate(gates)
    .scalar_subquery()
)
_LAST_INTERVENTION: Final = (
    select(as_json(interventions))
    .where(interventions.c.switch_id == switches.c.id)
    .order_by(interventions.c.requested_at.desc())
    .limit(ONE)
    .correlate(switches)
    .scalar_subquery()
)
_SUPERSEDED_BY: Final = (
    select(_newer.c.id)
    .where(
        _newer.c.domain == switches.c.domain,
        -_newer.c.id < -switches.c.id,  # negative, as only the index by domain has it
        or_(_newer.c.ended_at.is_(None), _newer.c.status == SUCCEEDED),
    )
    .order_by(-_newer.c.id)
    .limit(ONE)
    .correlate(switches)
    .scalar_subquery()
)

GATE_VIEW: Final[Select[Any]] = select(
    *_GATE_COLUMNS,
    *SWITCH_COLUMNS,
    evidence.c.blockers.label("guard_blockers"),
    evidence.c.seen_at.label("guard_seen_at"),
    _rollback.c.deployment_id.label("rollback_deployment_id"),
    _rollback.c.status.label("rollback_status"),
    _rollback.c.switched_at.label("rollback_switched_at"),
    _rollback.c.ended_at.label("rollback_ended_at"),
    _rollback.c.green_percent.label("rollback_green_percent"),
    _rollback.c.traffic_read_at.label("rollback_traffic_read_at"),
    _rollback.c.traffic_unknown.label("rollback_traffic_unknown"),
    and_(switches.c.ended_at.is_not(None), _SUPERSEDED_BY.is_not(None)).label("superseded"),
    _REPORT_ERROR.label("report_error"),
    _LAST_INTERVENTION.label("intervention"),
    _rows_as_json(votes, votes.c.gate_id == gates.c.id, order_by=votes.c.voted_at).label("votes"),
    _rows_as_json(
        checks,
        checks.c.deployment_id == switches.c.deployment_id,
        checks.c.region == switches.c.region,
        checks.c.account.in_([switches.c.account, EMPTY]),
        order_by=checks.c.reported_at,
    ).label("checks"),
    _rows_as_json(
        freezes,
        freezes.c.ended_at.is_(None),
        or_(freezes.c.domains.is_(None), switches.c.domain == any_(freezes.c.domains)),
        order_by=freezes.c.id,
    ).label("freezes"),
).select_from(
    gates.join(switches, switches.c.id == gates.c.switch_id)
    .outerjoin(evidence, evidence.c.gate_id == gates.c.id)
    .outerjoin(
        _rollback,
        and_(
            _rollback.c.account == switches.c.account,
            _rollback.c.region == switches.c.region,
            _rollback.c.deployment_id == switches.c.rollback_id,
        ),
    )
)
"""Add conditions and columns to it; see `app.db.mapping.rows.gate_view_from_row`."""

GATE_VIEW_WITH_EVIDENCE: Final[Select[Any]] = GATE_VIEW.add_columns(
    evidence.c.seen.label("evidence"), evidence.c.live.label("live_health")
)
"""Votes do not need the evidence."""
