"""Approvals on other grounds than votes, the rules that a break-glass approval set aside, announcements."""

from alembic import op

revision = "0006"
down_revision = "0005"

# `votes`, `rescue` and `undo` as before; `checks`: the domain approved itself; `break_glass`: an admin set rules aside.
BASES = """
ALTER TABLE gates
    ADD COLUMN broken jsonb,
    DROP CONSTRAINT basis_is_known,
    DROP CONSTRAINT approved_by_a_person,
    ADD CONSTRAINT basis_is_known CHECK (basis IN ('votes', 'rescue', 'undo', 'checks', 'break_glass')),
    ADD CONSTRAINT approved_by_a_person CHECK (
        coalesce(basis, 'rescue') IN ('rescue', 'checks') OR decided_by IS NOT NULL
    ),
    ADD CONSTRAINT broken_glass_says_what_and_why CHECK (
        (basis IS NOT DISTINCT FROM 'break_glass') = (broken IS NOT NULL)
        AND (broken IS NULL OR (
            jsonb_typeof(broken) = 'array' AND jsonb_array_length(broken) > 0
            AND reason IS NOT NULL AND length(btrim(reason)) > 0
        ))
    )
"""

GUARD = """
CREATE FUNCTION guard_broken_glass() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.verdict IS NOT NULL AND NEW.broken IS DISTINCT FROM OLD.broken THEN
        RAISE EXCEPTION 'which rules were set aside is never rewritten'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_broken_glass BEFORE UPDATE ON gates FOR EACH ROW EXECUTE FUNCTION guard_broken_glass()
"""

# What is said in a card's thread and in its channel, once each: `subject` tells two of a kind apart.
ANNOUNCEMENTS = """
CREATE TABLE announcements (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gate_id uuid NOT NULL REFERENCES gates (id),
    kind text NOT NULL,
    subject text NOT NULL DEFAULT '',
    written_at timestamptz NOT NULL,
    posting_since timestamptz,
    ts text,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT announcements_key UNIQUE (gate_id, kind, subject),
    CONSTRAINT said_or_due CHECK ((ts IS NULL) = (due_at IS NOT NULL))
);
CREATE INDEX announcements_due ON announcements (due_at) WHERE due_at IS NOT NULL
"""

BASES_BEFORE = """
ALTER TABLE gates
    DROP CONSTRAINT broken_glass_says_what_and_why,
    DROP CONSTRAINT basis_is_known,
    DROP CONSTRAINT approved_by_a_person,
    DROP COLUMN broken,
    ADD CONSTRAINT basis_is_known CHECK (basis IN ('votes', 'rescue', 'undo')),
    ADD CONSTRAINT approved_by_a_person CHECK (coalesce(basis, 'rescue') = 'rescue' OR decided_by IS NOT NULL)
"""


def upgrade() -> None:
    for statement in (BASES, GUARD, ANNOUNCEMENTS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE announcements")
    op.execute("DROP TRIGGER guard_broken_glass ON gates")
    op.execute("DROP FUNCTION guard_broken_glass()")
    # An older release knows people and rescues only; the audit trail goes on telling what it was.
    op.execute("ALTER TABLE gates DISABLE TRIGGER guard_gate")
    op.execute("UPDATE gates SET basis = 'votes', broken = NULL WHERE basis = 'break_glass'")
    op.execute("UPDATE gates SET basis = 'rescue' WHERE basis = 'checks'")
    op.execute("ALTER TABLE gates ENABLE TRIGGER guard_gate")
    op.execute(BASES_BEFORE)
