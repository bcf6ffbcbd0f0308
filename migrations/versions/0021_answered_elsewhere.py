"""The index by which the latest switch is found that somebody let through elsewhere."""

from alembic import op
from sqlalchemy import text

revision = "0021"
down_revision = "0020"

LIMITS = ("statement_timeout", "lock_timeout")
NAME = "gates_let_through_elsewhere"
INDEX = "gates (domain, (-switch_id), opened_at DESC) WHERE verdict <> 'approved' AND outcome_detail = 'Succeeded'"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        limits = _without_limits()
        # What is left of an attempt that was cut off goes first.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON {INDEX}")
        _with(limits)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        limits = _without_limits()
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        _with(limits)


def _without_limits() -> dict[str, str]:
    """It waits for transactions that began before it, and nobody waits for it."""
    connection = op.get_bind()
    limits = {name: str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in LIMITS}
    _with(dict.fromkeys(LIMITS, "0"))
    return limits


def _with(limits: dict[str, str]) -> None:
    for name, value in limits.items():
        op.execute(f"SET {name} = '{value}'")
