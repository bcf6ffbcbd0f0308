"""Gates know their domain, checks whether they have a switch; tables of work are vacuumed early."""

from alembic import op

revision = "0019"
down_revision = "0018"

# A gate's domain is its switch's. Postgres keeps it so, for whatever release writes.
DOMAIN = """
ALTER TABLE gates ADD COLUMN domain text;
CREATE FUNCTION copy_domain_to_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT domain INTO NEW.domain FROM switches WHERE id = NEW.switch_id;
    RETURN NEW;
END $$;
CREATE TRIGGER copy_domain_to_gate BEFORE INSERT ON gates FOR EACH ROW EXECUTE FUNCTION copy_domain_to_gate();
CREATE FUNCTION copy_domain_to_gates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gates SET domain = NEW.domain WHERE switch_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER copy_domain_to_gates AFTER UPDATE OF domain ON switches FOR EACH ROW
    WHEN (NEW.domain IS DISTINCT FROM OLD.domain) EXECUTE FUNCTION copy_domain_to_gates()
"""
NO_DOMAIN = """
DROP TRIGGER copy_domain_to_gate ON gates;
DROP FUNCTION copy_domain_to_gate();
DROP TRIGGER copy_domain_to_gates ON switches;
DROP FUNCTION copy_domain_to_gates();
ALTER TABLE gates DROP COLUMN domain
"""

# Strays are looked for among checks that no look has found a switch for yet.
MATCHED = "ALTER TABLE checks ADD COLUMN matched boolean NOT NULL DEFAULT false"

# A row of work is updated some dozen times in an hour and never again. Room in its page keeps most of these updates out
# of the indexes; by default, vacuum and analyze would wait for a fifth of all rows that ever were.
WORK = (
    *("switches", "gates", "cards", "threads", "reports", "evidence", "announcements", "interventions"),
    *("probe_runs", "rule_marks", "card_copies"),
)
OF_WORK = {
    "fillfactor": "70",
    "autovacuum_vacuum_threshold": "500",
    "autovacuum_vacuum_scale_factor": "0.005",
    "autovacuum_analyze_threshold": "500",
    "autovacuum_analyze_scale_factor": "0.01",
}
OF_EVENTS = {
    "autovacuum_vacuum_insert_threshold": "10000",
    "autovacuum_vacuum_insert_scale_factor": "0.01",
    "autovacuum_analyze_scale_factor": "0.01",
}


def upgrade() -> None:
    op.execute(DOMAIN)
    op.execute(MATCHED)
    for table in WORK:
        _set(table, OF_WORK)
    _set("audit_events", OF_EVENTS)


def downgrade() -> None:
    for table in (*WORK, "audit_events"):
        names = OF_EVENTS if table == "audit_events" else OF_WORK
        op.execute(f"ALTER TABLE {table} RESET ({', '.join(names)})")
    op.execute("ALTER TABLE checks DROP COLUMN matched")
    op.execute(NO_DOMAIN)


def _set(table: str, parameters: dict[str, str]) -> None:
    op.execute(
        f"ALTER TABLE {table} SET ({', '.join(f'{name} = {value}' for name, value in parameters.items())})"
    )
