"""Where the post of an announcement was tried: its thread may be another one by the time the post is looked for."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("ALTER TABLE announcements ADD COLUMN posting_channel text, ADD COLUMN posting_thread text")


def downgrade() -> None:
    op.execute("ALTER TABLE announcements DROP COLUMN posting_channel, DROP COLUMN posting_thread")
