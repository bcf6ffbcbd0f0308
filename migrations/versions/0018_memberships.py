"""Members of user groups as Slack last told them, shared by all replicas; and which votes counted at the decision."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE memberships ("
        " entry text PRIMARY KEY, members text[] NOT NULL DEFAULT '{}',"
        " heard_at timestamptz, asked_at timestamptz NOT NULL)"
    )
    op.execute("DROP TABLE user_groups")
    op.execute("ALTER TABLE votes ADD COLUMN counted boolean NOT NULL DEFAULT true")


def downgrade() -> None:
    op.execute("ALTER TABLE votes DROP COLUMN counted")
    op.execute("DROP TABLE memberships")
    op.execute("CREATE TABLE user_groups (id text PRIMARY KEY, heard_at timestamptz NOT NULL)")
