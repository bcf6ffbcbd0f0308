"""TRUNCATE is refused on every table: it would go past the triggers that guard single rows."""

from typing import Final

from alembic import op

revision = "0031"
down_revision = "0030"

# The audit trail has had such a trigger since 0002.
TABLES: Final = (
    *(
        "alembic_version",
        "announcements",
        "card_copies",
        "cards",
        "channel_announcements",
        "channel_id_changes",
    ),
    *("channel_problems", "checks", "direct_messages", "evidence", "freezes", "gate_rule_snapshots", "gates"),
    *(
        "handled_requests",
        "interventions",
        "memberships",
        "probe_runs",
        "reports",
        "subscriptions",
        "switches",
    ),
    *("threads", "votes"),
)
DENY: Final = """
CREATE OR REPLACE FUNCTION deny_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE is refused on %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
CREATE: Final = """
CREATE OR REPLACE TRIGGER deny_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION deny_truncate()
"""

# Each table in a transaction of its own, and so that it may be cut off and run again: one transaction for all would hold
# the lock of one table while it waits for another's, and a press that locks them the other way round would deadlock.


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DENY)
        for table in TABLES:
            op.execute(CREATE.format(table=table))


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for table in TABLES:
            op.execute(f"DROP TRIGGER IF EXISTS deny_truncate ON {table}")
        op.execute("DROP FUNCTION IF EXISTS deny_truncate()")
