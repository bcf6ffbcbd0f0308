"""What people have CodeDeploy do after the decision: undo, and ending blue early."""

from alembic import op

revision = "0004"
down_revision = "0003"

INTERVENTIONS = """
CREATE TABLE interventions (
    id uuid PRIMARY KEY,
    switch_id bigint NOT NULL REFERENCES switches (id),
    deed text NOT NULL,
    phase text NOT NULL DEFAULT 'asked',
    asked_by text NOT NULL,
    asked_name text NOT NULL,
    reason text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL,
    deployment_id text,
    problem text,
    finished_at timestamptz,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT deed_is_known CHECK (deed IN ('stop', 'redeploy', 'finish')),
    CONSTRAINT intervention_phase_is_known CHECK (phase IN ('asked', 'sent', 'done', 'failed')),
    CONSTRAINT an_undo_says_why CHECK (deed = 'finish' OR length(btrim(reason)) > 0),
    CONSTRAINT finished_says_when CHECK ((phase IN ('done', 'failed')) = (finished_at IS NOT NULL)),
    CONSTRAINT only_what_is_asked_is_due CHECK (due_at IS NULL OR phase = 'asked')
);
CREATE UNIQUE INDEX one_intervention_at_a_time ON interventions (switch_id) WHERE phase IN ('asked', 'sent');
CREATE INDEX interventions_of ON interventions (switch_id, asked_at DESC);
CREATE INDEX interventions_by_deployment ON interventions (deployment_id) WHERE deployment_id IS NOT NULL;
CREATE INDEX interventions_due ON interventions (due_at) WHERE due_at IS NOT NULL
"""

BASES = """
ALTER TABLE gates
    DROP CONSTRAINT basis_is_known,
    DROP CONSTRAINT approved_by_a_person,
    ADD CONSTRAINT basis_is_known CHECK (basis IN ({bases})),
    ADD CONSTRAINT approved_by_a_person CHECK (coalesce(basis, 'rescue') = 'rescue' OR decided_by IS NOT NULL)
"""

GUARD = """
CREATE FUNCTION guard_intervention() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an intervention is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.id, NEW.switch_id, NEW.deed, NEW.asked_by, NEW.reason, NEW.asked_at)
        IS DISTINCT FROM (OLD.id, OLD.switch_id, OLD.deed, OLD.asked_by, OLD.reason, OLD.asked_at) THEN
        RAISE EXCEPTION 'what was asked never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.phase IN ('done', 'failed') AND NEW.phase <> OLD.phase THEN
        RAISE EXCEPTION 'an intervention does not go from % to %', OLD.phase, NEW.phase
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_intervention BEFORE UPDATE OR DELETE ON interventions
    FOR EACH ROW EXECUTE FUNCTION guard_intervention()
"""


def upgrade() -> None:
    op.execute(INTERVENTIONS)
    op.execute(BASES.format(bases="'votes', 'rescue', 'undo'"))
    op.execute(GUARD)


def downgrade() -> None:
    op.execute("DROP TABLE interventions")
    op.execute("DROP FUNCTION guard_intervention()")
    # A gate that an undo of ours passed was decided by a person, too.
    op.execute("ALTER TABLE gates DISABLE TRIGGER guard_gate")
    op.execute("UPDATE gates SET basis = 'votes' WHERE basis = 'undo'")
    op.execute("ALTER TABLE gates ENABLE TRIGGER guard_gate")
    op.execute(BASES.format(bases="'votes', 'rescue'"))
