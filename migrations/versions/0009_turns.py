"""Which switches of a domain live, as turns ask at every press."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("CREATE INDEX switches_live ON switches (domain) WHERE ended_at IS NULL")


def downgrade() -> None:
    op.execute("DROP INDEX switches_live")
