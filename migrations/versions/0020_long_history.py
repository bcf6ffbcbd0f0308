"""Indexes by which questions are answered however long the history is."""

from alembic import op
from sqlalchemy import text

revision = "0020"
down_revision = "0019"

LIMITS = ("statement_timeout", "lock_timeout")
AT_ONCE = 10_000
FILL_DOMAIN = """
UPDATE gates SET domain = s.domain FROM switches s
WHERE s.id >= :first AND s.id < :end AND gates.switch_id = s.id AND gates.domain IS DISTINCT FROM s.domain
"""

# The indexes over all rows are of an expression, those of one domain of another: neither gives the order of the other.
INDEXES = {
    "switches_newest": "switches (domain, (-id))",
    "switches_current": "switches (domain, (-id)) WHERE ended_at IS NULL OR status = 'Succeeded'",
    "gates_newest": "gates (timezone('UTC', opened_at) DESC, id DESC)",
    "gates_by_domain": "gates (domain, opened_at DESC, id DESC)",
    "gates_decided": "gates (decided_at DESC) WHERE decided_at IS NOT NULL",
    "gates_approved": (
        "gates (domain, (-switch_id), opened_at DESC) WHERE verdict = 'approved' AND basis <> 'rescue'"
    ),
    "checks_unmatched": "checks (told_at) WHERE NOT matched",
    "audit_newest": "audit_events (timezone('UTC', at) DESC, id DESC)",
    "audit_by_domain_kind": "audit_events (domain, kind, at DESC, id DESC)",
    "audit_by_actor_kind": "audit_events (actor, kind, at DESC, id DESC) WHERE actor IS NOT NULL",
    "audit_by_actor_domain": "audit_events (actor, domain, at DESC, id DESC) WHERE actor IS NOT NULL",
}
REPLACED = {
    "switches_by_domain": "switches (domain, id DESC)",
    "checks_by_time": "checks (told_at)",
    "audit_by_time": "audit_events (at DESC, id DESC)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        last = connection.execute(text("SELECT coalesce(max(id), 0) FROM switches")).scalar_one()
        for first in range(0, last + 1, AT_ONCE):
            connection.execute(text(FILL_DOMAIN), {"first": first, "end": first + AT_ONCE})
        _replace(REPLACED, by=INDEXES)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _replace(INDEXES, by=REPLACED)


def _replace(old: dict[str, str], *, by: dict[str, str]) -> None:
    """Beside reads and writes, however long it takes. What is left of an attempt that was cut off goes first."""
    connection = op.get_bind()
    # It waits for transactions that began before it, and nobody waits for it.
    limits = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in LIMITS}
    for name in LIMITS:
        op.execute(f"SET {name} = 0")
    for name, definition in by.items():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")
    for name in old:
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    for name, value in limits.items():
        op.execute(f"SET {name} = '{value}'")
