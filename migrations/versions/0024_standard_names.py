"""Columns, tables and stored values have the standard terms for what they hold.

Audit events keep their kinds and details: the trail is never rewritten. Its hashes cover values in a fixed order and no
column name, so they stay valid. Everything changes in one transaction. Older replicas fail from its commit on: each of
their statements is refused as a whole, so nothing is lost, and they save nothing either.
"""

import json
from collections.abc import Iterator
from typing import Final

from alembic import op
from sqlalchemy import text

revision = "0024"
down_revision = "0023"

# In the order in which the service locks rows, so that a running transaction rarely has to be cancelled.
LOCK: Final = """
LOCK TABLE audit_events, freezes, switches, gates, reports, interventions, evidence, probe_runs, checks, {snapshots},
    cards, threads, announcements, memberships IN ACCESS EXCLUSIVE MODE
"""

COLUMNS: Final = {
    "switches": {"ending": "end_reason", "moved_at": "traffic_changed_at"},
    "gates": {"edition": "prompt_version", "broken": "overridden_rules"},
    "interventions": {
        "deed": "kind",
        "asked_by": "requested_by",
        "asked_name": "requested_name",
        "asked_at": "requested_at",
    },
    "probe_runs": {"asked_at": "requested_at"},
    "checks": {"told_by": "reported_by", "told_at": "reported_at"},
    "freezes": {"over_at": "ended_at"},
    "gate_rule_snapshots": {"mark": "fingerprint", "waits": "awaiting_exclusivity"},
    "threads": {
        "told_link": "last_posted_seq",
        "telling_link": "posting_seq",
        "telling_since": "posting_since",
        "telling_channel": "posting_channel",
        "telling_thread": "posting_thread",
    },
    "memberships": {"heard_at": "last_synced_at", "asked_at": "requested_at"},
    "audit_events": {"link": "seq", "digest": "hash"},
}
CONSTRAINTS: Final = {
    "gates": {"broken_glass_says_what_and_why": "break_glass_says_what_and_why"},
    "interventions": {"deed_is_known": "intervention_kind_is_known"},
    "threads": {"telling_says_since_when": "posting_says_since_when"},
    "announcements": {"said_or_due": "posted_or_due"},
    "freezes": {"lifted_is_over": "lifted_is_ended"},
    "gate_rule_snapshots": {
        "rule_marks_pkey": "gate_rule_snapshots_pkey",
        "rule_marks_gate_id_fkey": "gate_rule_snapshots_gate_id_fkey",
    },
}

VALUES: Final = {
    # outcomes and bases of gates, phases of interventions
    "told": "acknowledged",
    "contradicted": "conflict",
    "rescue": "auto_rollback",
    "asked": "requested",
    # kinds of announcements
    "freeze_over": "freeze_ended",
    "turn_free": "exclusivity_free",
    # rules that hold an approval or were overridden
    "owed": "approvals_required",
    "two_owed": "second_approver_required",
    "check": "check_not_passed",
    "turn_taken": "excluded_by_switch",
    "goes_first": "predecessor_pending",
    "own": "own_switch",
    "green_serves": "green_receives_traffic",
    "traffic_elsewhere": "foreign_target_group",
}
RENAME_RULES: Final = """(
    SELECT jsonb_agg(CASE WHEN each.rule ? 'rule' THEN jsonb_set(each.rule, '{{rule}}', to_jsonb(
            coalesce(CAST(:names AS jsonb) ->> (each.rule ->> 'rule'), each.rule ->> 'rule')
        )) ELSE each.rule END ORDER BY each.place)
    FROM jsonb_array_elements({column}) WITH ORDINALITY AS each(rule, place)
)"""
RENAME_VALUES: Final = (
    """
    UPDATE gates SET outcome = coalesce(CAST(:names AS jsonb) ->> outcome, outcome),
        basis = coalesce(CAST(:names AS jsonb) ->> basis, basis), overridden_rules = {overridden_rules}
    WHERE outcome IS NOT NULL OR basis IS NOT NULL
    """,
    "UPDATE evidence SET blockers = {blockers} WHERE jsonb_typeof(blockers) = 'array'",
    "UPDATE interventions SET phase = CAST(:names AS jsonb) ->> phase WHERE jsonb_exists(CAST(:names AS jsonb), phase)",
    "UPDATE announcements SET kind = CAST(:names AS jsonb) ->> kind WHERE jsonb_exists(CAST(:names AS jsonb), kind)",
)

# What names one of these values: dropped before they change, and made again after.
DROP_VALUES: Final = """
ALTER TABLE gates DROP CONSTRAINT outcome_is_known, DROP CONSTRAINT basis_is_known, DROP CONSTRAINT approved_by_a_person;
DROP INDEX gates_approved;
ALTER TABLE interventions DROP CONSTRAINT intervention_phase_is_known, DROP CONSTRAINT {only_requested_is_due};
DROP INDEX one_intervention_at_a_time;
ALTER TABLE gates DISABLE TRIGGER USER;
ALTER TABLE evidence DISABLE TRIGGER USER;
ALTER TABLE interventions DISABLE TRIGGER USER
"""
MAKE_VALUES: Final = """
ALTER TABLE gates ENABLE TRIGGER USER;
ALTER TABLE evidence ENABLE TRIGGER USER;
ALTER TABLE interventions ENABLE TRIGGER USER, ALTER COLUMN phase SET DEFAULT '{requested}',
    ADD CONSTRAINT intervention_phase_is_known CHECK (phase IN ('{requested}', 'sent', 'done', 'failed')),
    ADD CONSTRAINT {only_requested_is_due} CHECK (due_at IS NULL OR phase = '{requested}');
CREATE UNIQUE INDEX one_intervention_at_a_time ON interventions (switch_id) WHERE phase IN ('{requested}', 'sent');
ALTER TABLE gates
    ADD CONSTRAINT outcome_is_known CHECK (outcome IN ('{acknowledged}', '{conflict}', 'undeliverable')),
    ADD CONSTRAINT basis_is_known CHECK (basis IN ('votes', '{auto_rollback}', 'undo', 'checks', 'break_glass')),
    ADD CONSTRAINT approved_by_a_person CHECK (
        coalesce(basis, '{auto_rollback}') IN ('{auto_rollback}', 'checks') OR decided_by IS NOT NULL
    );
CREATE INDEX gates_approved ON gates (domain, (-switch_id), opened_at DESC)
    WHERE verdict = 'approved' AND basis <> '{auto_rollback}'
"""

FUNCTIONS: Final = """
CREATE OR REPLACE FUNCTION guard_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a gate is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.phase <> 'awaiting' THEN
            RAISE EXCEPTION 'a gate opens awaiting, not %', NEW.phase
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.switch_id, NEW.execution_hash, NEW.opened_at)
        IS DISTINCT FROM (OLD.id, OLD.switch_id, OLD.execution_hash, OLD.opened_at) THEN
        RAISE EXCEPTION 'what a gate is never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.phase <> OLD.phase AND (OLD.phase, NEW.phase) NOT IN (
        ('awaiting', 'decided'), ('awaiting', 'closed'), ('decided', 'reported'), ('decided', 'closed'),
        ('reported', 'closed')
    ) THEN
        RAISE EXCEPTION 'a gate does not go from % to %', OLD.phase, NEW.phase
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.phase = 'awaiting' AND NEW.phase = 'closed' AND NEW.verdict <> 'withdrawn' THEN
        RAISE EXCEPTION 'a waiting gate closes only as withdrawn' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.verdict IS NOT NULL AND (NEW.verdict, NEW.basis, NEW.decided_at, NEW.decided_by, NEW.decided_name, NEW.reason)
        IS DISTINCT FROM (OLD.verdict, OLD.basis, OLD.decided_at, OLD.decided_by, OLD.decided_name, OLD.reason) THEN
        RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.outcome IS NOT NULL AND (NEW.outcome, NEW.reported_at) IS DISTINCT FROM (OLD.outcome, OLD.reported_at) AND NOT (
        OLD.outcome = '{acknowledged}' AND NEW.outcome = '{conflict}' AND NEW.reported_at = OLD.reported_at
        AND OLD.event_read_at IS NULL AND NEW.event_read_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a report is never rewritten' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.deadline_at > OLD.deadline_at THEN
        RAISE EXCEPTION 'a deadline never moves away' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION guard_intervention() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an intervention is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.id, NEW.switch_id, NEW.{kind}, NEW.{requested_by}, NEW.reason, NEW.{requested_at})
        IS DISTINCT FROM (OLD.id, OLD.switch_id, OLD.{kind}, OLD.{requested_by}, OLD.reason, OLD.{requested_at}) THEN
        RAISE EXCEPTION 'what was {requested} never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.phase IN ('done', 'failed') AND NEW.phase <> OLD.phase THEN
        RAISE EXCEPTION 'an intervention does not go from % to %', OLD.phase, NEW.phase
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER {old_guard} ON gates;
DROP FUNCTION {old_guard}();
CREATE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.verdict IS NOT NULL AND NEW.{overridden_rules} IS DISTINCT FROM OLD.{overridden_rules} THEN
        RAISE EXCEPTION 'which rules were set aside is never rewritten'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER {guard} BEFORE UPDATE ON gates FOR EACH ROW EXECUTE FUNCTION {guard}();
DROP FUNCTION {old_hash_function}(bytea, audit_events);
CREATE FUNCTION {hash_function}(previous bytea, e audit_events) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        extract(epoch FROM e.at), e.kind, e.account, e.region, e.deployment_id, e.domain, e.gate_id,
        e.actor_kind, e.actor, e.actor_name, e.detail, e.{seq}
    )::text, 'UTF8'))
$$;
CREATE OR REPLACE FUNCTION chain_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_{seq} integer;
    last_{hash} bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.account || '/' || NEW.region || '/' || NEW.deployment_id, 7));
    SELECT {seq}, {hash} INTO last_{seq}, last_{hash} FROM audit_events
        WHERE account = NEW.account AND region = NEW.region AND deployment_id = NEW.deployment_id
        ORDER BY {seq} DESC LIMIT 1;
    NEW.{seq} := coalesce(last_{seq}, 0) + 1;
    NEW.{hash} := {hash_function}(coalesce(last_{hash}, ''::bytea), NEW);
    RETURN NEW;
END $$
"""
# Placeholders of the templates above -> the names and values from this revision on, and before it.
NEW: Final = {
    **{new: new for columns in COLUMNS.values() for new in columns.values()},
    **{new: new for new in VALUES.values()},
    "only_requested_is_due": "only_requested_is_due",
    "guard": "guard_break_glass",
    "old_guard": "guard_broken_glass",
    "hash_function": "audit_event_hash",
    "old_hash_function": "audit_digest",
    "snapshots": "gate_rule_snapshots",
}
OLD: Final = {
    **{new: old for columns in COLUMNS.values() for old, new in columns.items()},
    **{new: old for old, new in VALUES.items()},
    "only_requested_is_due": "only_what_is_asked_is_due",
    "guard": "guard_broken_glass",
    "old_guard": "guard_break_glass",
    "hash_function": "audit_digest",
    "old_hash_function": "audit_event_hash",
    "snapshots": "rule_marks",
}


def upgrade() -> None:
    op.execute(LOCK.format(**OLD))
    op.execute("ALTER TABLE rule_marks RENAME TO gate_rule_snapshots")
    op.execute("ALTER INDEX freezes_standing RENAME TO freezes_active")
    for table, kind, old, new in _renamed():
        op.execute(f"ALTER TABLE {table} RENAME {kind} {old} TO {new}")
    _replace_values(VALUES, before=OLD, after=NEW)
    op.execute(FUNCTIONS.format(**NEW))


def downgrade() -> None:
    op.execute(LOCK.format(**NEW))
    _replace_values({new: old for old, new in VALUES.items()}, before=NEW, after=OLD)
    for table, kind, old, new in _renamed():
        op.execute(f"ALTER TABLE {table} RENAME {kind} {new} TO {old}")
    op.execute("ALTER INDEX freezes_active RENAME TO freezes_standing")
    op.execute("ALTER TABLE gate_rule_snapshots RENAME TO rule_marks")
    op.execute(FUNCTIONS.format(**OLD))


def _renamed() -> Iterator[tuple[str, str, str, str]]:
    for kind, tables in (("COLUMN", COLUMNS), ("CONSTRAINT", CONSTRAINTS)):
        for table, names in tables.items():
            for old, new in names.items():
                yield table, kind, old, new


def _replace_values(names: dict[str, str], *, before: dict[str, str], after: dict[str, str]) -> None:
    op.execute(DROP_VALUES.format(**before))
    rules = {column: RENAME_RULES.format(column=column) for column in ("overridden_rules", "blockers")}
    for statement in RENAME_VALUES:
        op.get_bind().execute(text(statement.format(**rules)), {"names": json.dumps(names)})
    op.execute(MAKE_VALUES.format(**after))
