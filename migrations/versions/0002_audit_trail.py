"""The audit trail: chained per deployment, never changed, never deleted."""

from alembic import op

revision = "0002"
down_revision = "0001"

EVENTS = """
CREATE TABLE audit_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    account text NOT NULL,
    region text NOT NULL,
    deployment_id text NOT NULL,
    domain text,
    gate_id uuid,
    actor_kind text NOT NULL,
    actor text,
    actor_name text,
    detail jsonb NOT NULL DEFAULT '{}',
    link integer NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT actor_kind_is_known CHECK (actor_kind IN ('person', 'switchgate', 'codedeploy', 'hook')),
    CONSTRAINT a_person_is_named CHECK (actor_kind <> 'person' OR actor IS NOT NULL),
    CONSTRAINT audit_chain UNIQUE (account, region, deployment_id, link)
)
"""

INDEXES = """
CREATE INDEX audit_by_time ON audit_events (at DESC, id DESC);
CREATE INDEX audit_by_domain ON audit_events (domain, at DESC, id DESC);
CREATE INDEX audit_by_deployment ON audit_events (deployment_id, at DESC, id DESC);
CREATE INDEX audit_by_actor ON audit_events (actor, at DESC, id DESC);
CREATE INDEX audit_by_kind ON audit_events (kind, at DESC, id DESC)
"""

# One chain a deployment: a global one would make every commit wait for every other. The lock lives until
# the transaction ends, so that two writers of one chain never take the same link.
CHAIN = """
CREATE FUNCTION audit_digest(previous bytea, e audit_events) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        extract(epoch FROM e.at), e.kind, e.account, e.region, e.deployment_id, e.domain, e.gate_id,
        e.actor_kind, e.actor, e.actor_name, e.detail, e.link
    )::text, 'UTF8'))
$$;
CREATE FUNCTION chain_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_link integer;
    last_digest bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.account || '/' || NEW.region || '/' || NEW.deployment_id, 7));
    SELECT link, digest INTO last_link, last_digest FROM audit_events
        WHERE account = NEW.account AND region = NEW.region AND deployment_id = NEW.deployment_id
        ORDER BY link DESC LIMIT 1;
    NEW.link := coalesce(last_link, 0) + 1;
    NEW.digest := audit_digest(coalesce(last_digest, ''::bytea), NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER chain_audit_event BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION chain_audit_event()
"""

DENY = """
CREATE FUNCTION deny_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is only ever added to' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER deny_audit_change BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION deny_audit_change();
CREATE TRIGGER deny_audit_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION deny_audit_change()
"""


def upgrade() -> None:
    for statement in (EVENTS, INDEXES, CHAIN, DENY):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE audit_events CASCADE")
    op.execute("DROP FUNCTION IF EXISTS audit_digest(bytea, audit_events)")
    op.execute("DROP FUNCTION chain_audit_event()")
    op.execute("DROP FUNCTION deny_audit_change()")
