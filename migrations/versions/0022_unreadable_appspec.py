"""A previous revision whose AppSpec cannot be read takes nothing back."""

from alembic import op

revision = "0022"
down_revision = "0021"

BEFORE = "'absent', 'same', 'unpinned', 'inactive'"


def upgrade() -> None:
    _allow(f"{BEFORE}, 'unreadable'")


def downgrade() -> None:
    op.execute("UPDATE switches SET previous_obstacle = 'unpinned' WHERE previous_obstacle = 'unreadable'")
    _allow(BEFORE)


def _allow(obstacles: str) -> None:
    op.execute(f"""
        ALTER TABLE switches DROP CONSTRAINT previous_obstacle_is_known,
            ADD CONSTRAINT previous_obstacle_is_known CHECK (previous_obstacle IN ({obstacles})) NOT VALID
    """)
    op.execute("ALTER TABLE switches VALIDATE CONSTRAINT previous_obstacle_is_known")
