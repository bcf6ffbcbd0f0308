"""A rollback that somebody here asked for has no card of its own: the card of what it rolls back shows it."""

from alembic import op
from sqlalchemy import text

revision = "0027"
down_revision = "0026"

LIMITS = ("statement_timeout", "lock_timeout")
NAME = "gates_shown_by"
INDEX = "gates (shown_by, switch_id DESC, opened_at DESC) WHERE shown_by IS NOT NULL"


def upgrade() -> None:
    op.execute("ALTER TABLE gates ADD COLUMN shown_by uuid, ADD COLUMN returns boolean")
    op.execute(
        "ALTER TABLE gates ADD CONSTRAINT gates_shown_by_fkey FOREIGN KEY (shown_by) REFERENCES gates (id) NOT VALID,"
        " ADD CONSTRAINT only_what_another_gate_shows_returns CHECK ((shown_by IS NULL) = (returns IS NULL)) NOT VALID"
    )
    with op.get_context().autocommit_block():
        limits = _without_limits()
        # What is left of an attempt that was cut off goes first.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON {INDEX}")
        op.execute("ALTER TABLE gates VALIDATE CONSTRAINT gates_shown_by_fkey")
        op.execute("ALTER TABLE gates VALIDATE CONSTRAINT only_what_another_gate_shows_returns")
        _with(limits)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        limits = _without_limits()
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        _with(limits)
    op.execute("ALTER TABLE gates DROP COLUMN shown_by, DROP COLUMN returns")


def _without_limits() -> dict[str, str]:
    """It waits for transactions that began before it, and nobody waits for it."""
    connection = op.get_bind()
    limits = {name: str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in LIMITS}
    _with(dict.fromkeys(LIMITS, "0"))
    return limits


def _with(limits: dict[str, str]) -> None:
    for name, value in limits.items():
        op.execute(f"SET {name} = '{value}'")
