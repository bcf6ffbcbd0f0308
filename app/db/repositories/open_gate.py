"""Opens a gate: switch, gate, card, evidence and audit event in one statement, so that a hook costs one commit."""

from collections.abc import Sequence
from typing import Any, Final

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import NAMED_AUDIT_LOCK, audit_lock_name
from app.db.mapping.rows import from_undo_that_created
from app.db.shown_by import showing_gate, switch_that_it_undoes
from app.flow.audit_events import Event
from app.flow.ports.database import Opening, Verification

_NO_GATE: Final = "SELECT CAST(NULL AS uuid) AS id, CAST(NULL AS boolean) AS returns"
_KNOWN_ROLLBACK_OF: Final = """
    SELECT rollback_of FROM switches WHERE account = :account AND region = :region AND deployment_id = :deployment_id
"""
_UNDONE: Final = switch_that_it_undoes(
    ":deployment_id",
    account=":account",
    region=":region",
    rollback_of=f"coalesce(:rollback_of, ({_KNOWN_ROLLBACK_OF}))",
    tagged="CAST(:undo AS uuid)",
    application=":application",
    deployment_group=":deployment_group",
)
_SHOWING_GATE: Final = f"""
    SELECT showing.id, showing.returns
    FROM ({_UNDONE}) undone CROSS JOIN LATERAL ({showing_gate("undone.switch_id")}) showing
"""


# A new hook of a known switch: the switch is live (again), and the start of this hook is not known yet. A repeated
# hook changes nothing.
def _open_gate(shown_by: str) -> str:
    """`shown_by`: SQL, `id` and `returns` as in `app.db.shown_by`."""
    return f"""
WITH s AS (
    INSERT INTO switches
        (account, region, deployment_id, domain, application, deployment_group, creator, deployed_by,
         named_deployers, description, config_name, listener_port, deployment_created_at, rollback_of, status,
         first_seen_at, verified_at, hook_started_at, due_at, previous_stale_since)
    VALUES
        (CASE WHEN {NAMED_AUDIT_LOCK} THEN CAST(:account AS text) END,
         :region, :deployment_id, :domain, :application, :deployment_group, :creator, :deployed_by,
         CAST(:named_deployers AS text[]), :description, :config_name, :listener_port, :deployment_created_at,
         :rollback_of, :status, :now, :verified_at, CAST(:hook_started_at AS timestamptz), :now, :now)
    ON CONFLICT ON CONSTRAINT switches_key DO UPDATE
        SET (due_at, ended_at, end_reason, hook_started_at, previous_stale_since) = (
            SELECT CASE WHEN known AND switches.ended_at IS NOT NULL THEN NULL ELSE excluded.due_at END,
                CASE WHEN known THEN switches.ended_at END,
                CASE WHEN known THEN switches.end_reason END,
                CASE WHEN known THEN switches.hook_started_at ELSE excluded.hook_started_at END,
                CASE WHEN known THEN switches.previous_stale_since ELSE excluded.previous_stale_since END
            FROM (SELECT EXISTS (
                SELECT 1 FROM gates WHERE switch_id = switches.id AND execution_hash = :execution_hash
            ) AS known) k
        )
    RETURNING id
), g AS (
    INSERT INTO gates (id, switch_id, execution_hash, execution_id, hook_name, phase, opened_at, deadline_at,
                       remind_at, observed, shown_by, returns)
    SELECT :gate, s.id, :execution_hash, :execution_id, :hook_name, 'awaiting', :now, :deadline_at, :remind_at,
           CAST(:observes AS boolean), shown.id, shown.returns
    FROM s LEFT JOIN ({shown_by}) shown ON true
    ON CONFLICT ON CONSTRAINT gates_key DO NOTHING
    RETURNING id, switch_id
), c AS (
    INSERT INTO cards (gate_id, due_at) SELECT g.id, :now FROM g
    WHERE NOT CAST(:passes AS boolean) OR NOT EXISTS (
        SELECT 1 FROM gates o WHERE o.switch_id = g.switch_id AND o.id <> g.id)
), e AS (
    INSERT INTO evidence (gate_id, due_at) SELECT id, :now FROM g
), a AS (
    {INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM g)
)
SELECT g.id, EXISTS (
    SELECT 1 {from_undo_that_created(":deployment_id", account=":account", region=":region")}
) AS undoes FROM g
"""


OPEN_GATE: Final = _open_gate(_NO_GATE)
"""As text: one statement, so that a hook costs one round trip.

It waits for no row of another deployment. A worker updates the card of the domain's previous switch.
"""

OPEN_ROLLBACK: Final = _open_gate(_SHOWING_GATE)
"""The same for a hook that may be a rollback's: another gate's card may show it."""


def open_gate_statement(opening: Opening) -> str:
    """The statement that opens this gate."""
    return OPEN_ROLLBACK if opening.passes or opening.verification is None else OPEN_GATE


def open_gate_parameters(opening: Opening, events: Sequence[Event]) -> dict[str, Any]:
    """The values of both statements."""
    return {
        "audit_lock": audit_lock_name(opening.key),
        "account": opening.key.account,
        "region": opening.key.region,
        "deployment_id": opening.key.deployment,
        "gate": opening.gate,
        "execution_hash": opening.execution_id.digest(),
        "execution_id": opening.execution_id.reveal(),
        "hook_name": opening.hook_name,
        "now": opening.opened_at,
        "hook_started_at": opening.hook_started_at,
        "deadline_at": opening.deadline_at,
        "remind_at": opening.remind_at,
        "passes": opening.passes,
        "undo": opening.undo,
        "observes": bool(opening.verification and opening.verification.observed),
        "events": events_parameter(events),
        "verified_at": opening.opened_at if opening.verification else None,
        **verification_columns(opening.verification),
    }


def verification_columns(verification: Verification | None) -> dict[str, Any]:
    """What CodeDeploy confirmed, as columns of `switches`; all NULL while it has confirmed nothing."""
    facts = verification.facts if verification else None
    return {
        "domain": verification.domain if verification else None,
        "listener_port": verification.listener_port if verification else None,
        "deployed_by": verification.deployed_by if verification else None,
        "named_deployers": list(verification.named_deployers) if verification else [],
        "application": facts.application if facts else None,
        "deployment_group": facts.deployment_group if facts else None,
        "creator": facts.creator if facts else None,
        "description": facts.description if facts else None,
        "config_name": facts.config_name if facts else None,
        "deployment_created_at": facts.created_at if facts else None,
        "rollback_of": facts.rollback_of if facts else None,
        "status": facts.status if facts else None,
    }
