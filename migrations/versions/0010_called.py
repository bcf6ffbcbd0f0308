"""Whether a waiting gate waits for its turn, so that somebody is called when it comes."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE rule_marks ADD COLUMN waits boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("DELETE FROM announcements WHERE kind = 'turn_free'")
    op.execute("ALTER TABLE rule_marks DROP COLUMN waits")
