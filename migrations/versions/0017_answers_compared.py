"""What CodeDeploy holds after it took an answer; automatic rollbacks of groups that are no domain's."""

from typing import Final

from alembic import op

revision = "0017"
down_revision = "0016"

COMPARED: Final = "ALTER TABLE gates ADD COLUMN event_read_at timestamptz"

VERIFIED: Final = """
ALTER TABLE switches
    DROP CONSTRAINT verified_is_a_domains,
    ADD CONSTRAINT verified_is_a_domains CHECK (
        (verified_at IS NULL) OR (
            application IS NOT NULL AND deployment_group IS NOT NULL
            AND (domain IS NOT NULL OR creator IN ('codeDeployRollback', 'CloudFormationRollback'))
        )
    )
"""

# The lifecycle event may contradict, once, what CodeDeploy took.
GUARD: Final = """
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
    IF OLD.outcome IS NOT NULL AND (NEW.outcome, NEW.reported_at) IS DISTINCT FROM (OLD.outcome, OLD.reported_at){but} THEN
        RAISE EXCEPTION 'a report is never rewritten' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.deadline_at > OLD.deadline_at THEN
        RAISE EXCEPTION 'a deadline never moves away' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

CONTRADICTED_LATER: Final = """ AND NOT (
        OLD.outcome = 'told' AND NEW.outcome = 'contradicted' AND NEW.reported_at = OLD.reported_at
        AND OLD.event_read_at IS NULL AND NEW.event_read_at IS NOT NULL)"""

VERIFIED_BEFORE: Final = """
ALTER TABLE switches
    DROP CONSTRAINT verified_is_a_domains,
    ADD CONSTRAINT verified_is_a_domains CHECK (
        (verified_at IS NULL) OR (domain IS NOT NULL AND application IS NOT NULL AND deployment_group IS NOT NULL)
    )
"""


def upgrade() -> None:
    op.execute(COMPARED)
    op.execute(VERIFIED)
    op.execute(GUARD.replace("{but}", CONTRADICTED_LATER))


def downgrade() -> None:
    op.execute(GUARD.replace("{but}", ""))
    # An older release knows no verified switch without a domain.
    op.execute(
        "UPDATE switches SET domain = application || '/' || deployment_group"
        " WHERE verified_at IS NOT NULL AND domain IS NULL"
    )
    op.execute(VERIFIED_BEFORE)
    op.execute("ALTER TABLE gates DROP COLUMN event_read_at")
