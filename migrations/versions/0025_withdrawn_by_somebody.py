"""A switch that its deployer withdraws: decided by them, and reported to CodeDeploy as `Failed`.

A release before this one shows such a gate as one whose deployment ended by itself. If it is the one that reads the
lifecycle event afterwards, it takes `Failed` for another answer and marks a conflict: withdraw once all replicas run this
release.
"""

from alembic import op

revision = "0025"
down_revision = "0024"

BEFORE = (
    "verdict IS DISTINCT FROM 'withdrawn' OR (phase = 'closed' AND reason IS NOT NULL AND outcome IS NULL)"
)
# Without a name nobody withdrew it: the deployment ended by itself, and no answer was sent.
AFTER = """
    verdict IS DISTINCT FROM 'withdrawn'
    OR (reason IS NOT NULL AND (decided_name IS NOT NULL OR (phase = 'closed' AND outcome IS NULL)))
"""


def upgrade() -> None:
    _check(AFTER)


def downgrade() -> None:
    # An older release knows nobody who withdraws; for CodeDeploy it was a rejection.
    op.execute("ALTER TABLE gates DISABLE TRIGGER USER")
    op.execute(
        "UPDATE gates SET verdict = 'rejected', decided_by = coalesce(decided_by, decided_name)"
        " WHERE verdict = 'withdrawn' AND decided_name IS NOT NULL"
    )
    op.execute("ALTER TABLE gates ENABLE TRIGGER USER")
    _check(BEFORE)


def _check(condition: str) -> None:
    op.execute(f"""
        ALTER TABLE gates DROP CONSTRAINT withdrawn_says_why,
            ADD CONSTRAINT withdrawn_says_why CHECK ({condition}) NOT VALID
    """)
    op.execute("ALTER TABLE gates VALIDATE CONSTRAINT withdrawn_says_why")
