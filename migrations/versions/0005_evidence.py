"""What was seen before a gate was decided, kept as it stood."""

from alembic import op

revision = "0005"
down_revision = "0004"

EVIDENCE = """
CREATE TABLE evidence (
    gate_id uuid PRIMARY KEY REFERENCES gates (id),
    seen jsonb,
    seen_at timestamptz,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT seen_says_when CHECK ((seen IS NULL) = (seen_at IS NULL))
)
"""

INDEX = "CREATE INDEX evidence_due ON evidence (due_at) WHERE due_at IS NOT NULL"

# Gates that wait while a new release starts are looked at as well.
WAITING = "INSERT INTO evidence (gate_id, due_at) SELECT id, now() FROM gates WHERE phase = 'awaiting'"

# What a person saw when they decided is not touched up afterwards, whatever the program does.
GUARD = """
CREATE FUNCTION guard_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'evidence is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.gate_id, NEW.seen, NEW.seen_at) IS DISTINCT FROM (OLD.gate_id, OLD.seen, OLD.seen_at)
        AND EXISTS (SELECT 1 FROM gates WHERE id = OLD.gate_id AND phase <> 'awaiting') THEN
        RAISE EXCEPTION 'evidence stays as it was when the gate was decided'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_evidence BEFORE UPDATE OR DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION guard_evidence()
"""


def upgrade() -> None:
    for statement in (EVIDENCE, INDEX, WAITING, GUARD):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE evidence")
    op.execute("DROP FUNCTION guard_evidence()")
