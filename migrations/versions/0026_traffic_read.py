"""When traffic was read, when CodeDeploy itself says that it had moved, and green's health after the decision."""

from alembic import op

revision = "0026"
down_revision = "0025"

SWITCHES = """
ALTER TABLE switches
    ADD COLUMN traffic_read_at timestamptz,
    ADD COLUMN traffic_stale_at timestamptz,
    ADD COLUMN traffic_unknown boolean NOT NULL DEFAULT false,
    ADD COLUMN shift_ended_at timestamptz
"""

# The evidence itself stays as it was at the decision, which a trigger guards; this column goes on.
EVIDENCE = "ALTER TABLE evidence ADD COLUMN live jsonb"


def upgrade() -> None:
    op.execute(SWITCHES)
    op.execute(EVIDENCE)


def downgrade() -> None:
    op.execute("ALTER TABLE evidence DROP COLUMN live")
    op.execute(
        "ALTER TABLE switches DROP COLUMN traffic_read_at, DROP COLUMN traffic_stale_at,"
        " DROP COLUMN traffic_unknown, DROP COLUMN shift_ended_at"
    )
