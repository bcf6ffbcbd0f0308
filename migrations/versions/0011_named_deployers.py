"""Everybody whom a deployment names as its deployer, beside the one who is known to be."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE switches ADD COLUMN named_deployers text[] NOT NULL DEFAULT '{}'")
    # Until now a description was enough to be known: those that still wait are resolved again.
    op.execute(
        "UPDATE switches SET named_deployers = ARRAY[deployer], deployer = NULL"
        " WHERE deployer IS NOT NULL AND ended_at IS NULL"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE switches SET deployer = named_deployers[1]"
        " WHERE deployer IS NULL AND ended_at IS NULL AND cardinality(named_deployers) > 0"
    )
    op.execute("ALTER TABLE switches DROP COLUMN named_deployers")
