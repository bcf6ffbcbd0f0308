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
CREATE FUNCTION deny_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE is refused on %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def upgrade() -> None:
    op.execute(DENY)
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER deny_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
            " EXECUTE FUNCTION deny_truncate()"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER deny_truncate ON {table}")
    op.execute("DROP FUNCTION deny_truncate()")
