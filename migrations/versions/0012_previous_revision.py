"""Why a redeployment of the previous revision would not take a switch back."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE switches ADD COLUMN previous_obstacle text,
            ADD CONSTRAINT previous_obstacle_is_known
                CHECK (previous_obstacle IN ('absent', 'same', 'unpinned', 'inactive')) NOT VALID
    """)
    op.execute("ALTER TABLE switches VALIDATE CONSTRAINT previous_obstacle_is_known")


def downgrade() -> None:
    op.execute("ALTER TABLE switches DROP COLUMN previous_obstacle")
