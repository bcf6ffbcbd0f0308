"""Since when the card of the switch before this one, of the same domain, shows what is no longer so."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE switches ADD COLUMN previous_stale_since timestamptz")
    op.execute(
        "CREATE INDEX switches_with_stale_previous ON switches (previous_stale_since)"
        " WHERE previous_stale_since IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE switches DROP COLUMN previous_stale_since")
