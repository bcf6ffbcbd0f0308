"""Requests that took effect, so that one sent again does not."""

from alembic import op

revision = "0016"
down_revision = "0015"

TABLE = """
CREATE TABLE handled_requests (
    key text PRIMARY KEY,
    handled_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX handled_requests_by_time ON handled_requests (handled_at)
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE handled_requests")
