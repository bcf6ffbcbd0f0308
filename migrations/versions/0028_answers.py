"""What approvers answered to the questions of the policy."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE votes ADD COLUMN answers jsonb,
            ADD CONSTRAINT answers_are_a_list CHECK (jsonb_typeof(answers) = 'array') NOT VALID
    """)
    op.execute("ALTER TABLE votes VALIDATE CONSTRAINT answers_are_a_list")


def downgrade() -> None:
    # The audit trail keeps them.
    op.execute("ALTER TABLE votes DROP COLUMN answers")
