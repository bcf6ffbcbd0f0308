"""A switch is followed to its end: traffic, the way back, reminders, and what its thread has told."""

from alembic import op

revision = "0003"
down_revision = "0002"

COLUMNS = """
ALTER TABLE switches
    DROP CONSTRAINT ended_is_not_due,
    ADD COLUMN green_percent integer,
    ADD COLUMN switched_at timestamptz,
    ADD COLUMN blue_until timestamptz,
    ADD COLUMN rollback_id text,
    ADD COLUMN previous_revision text,
    ADD COLUMN auto_rollback boolean,
    ADD CONSTRAINT green_is_a_share CHECK (green_percent BETWEEN 0 AND 100);
ALTER TABLE gates
    ADD COLUMN remind_at timestamptz,
    ADD COLUMN reminded_at timestamptz;
ALTER TABLE cards
    ADD COLUMN told_link integer NOT NULL DEFAULT 0,
    ADD COLUMN telling_link integer;
CREATE INDEX switches_by_rollback ON switches (rollback_id) WHERE rollback_id IS NOT NULL;
CREATE INDEX gates_to_remind ON gates (remind_at) WHERE phase = 'awaiting' AND remind_at IS NOT NULL
"""

DROP = """
ALTER TABLE cards DROP COLUMN told_link, DROP COLUMN telling_link;
ALTER TABLE gates DROP COLUMN remind_at, DROP COLUMN reminded_at;
UPDATE switches SET due_at = NULL WHERE ended_at IS NOT NULL;
ALTER TABLE switches
    DROP COLUMN green_percent,
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
