"""A switch is followed to its end: traffic, the way back, reminders, and what its thread has told."""

from alembic import op

revision = "0003"
down_revision = "0002"

COLUMNS = """
ALTER TABLE switches
    DROP CONSTRAINT ended_is_not_due,
    ADD COLUMN green_percent integer,
    ADD COLUMN moved_at timestamptz,
    ADD COLUMN switched_at timestamptz,
    ADD COLUMN blue_until timestamptz,
    ADD COLUMN rollback_id text,
    ADD COLUMN previous_revision text,
    ADD COLUMN auto_rollback boolean,
    ADD CONSTRAINT green_is_a_share CHECK (green_percent BETWEEN 0 AND 100);
ALTER TABLE gates
    ADD COLUMN remind_at timestamptz,
    ADD COLUMN reminded_at timestamptz;
CREATE TABLE threads (
    gate_id uuid PRIMARY KEY REFERENCES gates (id),
    told_link integer NOT NULL DEFAULT 0,
    telling_link integer,
    telling_since timestamptz,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT telling_says_since_when CHECK ((telling_link IS NULL) = (telling_since IS NULL))
);
CREATE INDEX threads_due ON threads (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX switches_by_rollback ON switches (rollback_id) WHERE rollback_id IS NOT NULL;
CREATE INDEX gates_to_remind ON gates (remind_at) WHERE phase = 'awaiting' AND remind_at IS NOT NULL
"""

DROP = """
DROP TABLE threads;
ALTER TABLE gates DROP COLUMN remind_at, DROP COLUMN reminded_at;
UPDATE switches SET due_at = NULL WHERE ended_at IS NOT NULL;
ALTER TABLE switches
    DROP COLUMN green_percent,
    DROP COLUMN moved_at,
    DROP COLUMN switched_at,
    DROP COLUMN blue_until,
    DROP COLUMN rollback_id,
    DROP COLUMN previous_revision,
    DROP COLUMN auto_rollback,
    ADD CONSTRAINT ended_is_not_due CHECK (ended_at IS NULL OR due_at IS NULL)
"""


def upgrade() -> None:
    op.execute(COLUMNS)


def downgrade() -> None:
    op.execute(DROP)
