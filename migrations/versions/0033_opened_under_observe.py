"""A gate stores whether its domain was in observe mode when it opened: only such a gate passes in observe mode."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    # NULL, as older releases leave it, is no: the gate waits for a person.
    op.execute("ALTER TABLE gates ADD COLUMN observed boolean")


def downgrade() -> None:
    op.execute("ALTER TABLE gates DROP COLUMN observed")
