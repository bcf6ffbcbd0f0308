"""Switches, gates, votes, reports, cards."""

from alembic import op

revision = "0001"
down_revision = None

SWITCHES = """
CREATE TABLE switches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    region text NOT NULL,
    deployment_id text NOT NULL,
    domain text,
    application text,
    deployment_group text,
    creator text,
    deployed_by text,
    deployer text,
    description text,
    config_name text,
    traffic jsonb,
    listener_port integer,
    hook_started_at timestamptz,
    deployment_created_at timestamptz,
    rollback_of text,
    status text,
    first_seen_at timestamptz NOT NULL,
    verified_at timestamptz,
    ended_at timestamptz,
    ending text,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT switches_key UNIQUE (account, region, deployment_id),
    CONSTRAINT verified_is_a_domains CHECK (
        (verified_at IS NULL) OR (domain IS NOT NULL AND application IS NOT NULL AND deployment_group IS NOT NULL)
    ),
    CONSTRAINT ended_is_not_due CHECK (ended_at IS NULL OR due_at IS NULL),
    CONSTRAINT ended_says_how CHECK ((ended_at IS NULL) = (ending IS NULL))
)
"""

GATES = """
CREATE TABLE gates (
    id uuid PRIMARY KEY,
    switch_id bigint NOT NULL REFERENCES switches (id),
    execution_hash text NOT NULL,
    execution_id text,
    hook_name text NOT NULL,
    phase text NOT NULL,
    edition integer NOT NULL DEFAULT 1,
    version integer NOT NULL DEFAULT 1,
    opened_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    verdict text,
    basis text,
    decided_at timestamptz,
    decided_by text,
    decided_name text,
    reason text,
    outcome text,
    outcome_detail text,
    reported_at timestamptz,
    closed_at timestamptz,
    CONSTRAINT gates_key UNIQUE (switch_id, execution_hash),
    CONSTRAINT phase_is_known CHECK (phase IN ('awaiting', 'decided', 'reported', 'closed')),
    CONSTRAINT verdict_is_known CHECK (verdict IN ('approved', 'rejected', 'expired', 'withdrawn')),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('told', 'contradicted', 'undeliverable')),
    CONSTRAINT basis_is_known CHECK (basis IN ('votes', 'rescue')),
    CONSTRAINT deadline_inside_the_hour CHECK (
        deadline_at > opened_at - interval '1 hour' AND deadline_at <= opened_at + interval '59 minutes'
    ),
    CONSTRAINT awaiting_is_undecided CHECK ((phase = 'awaiting') = (verdict IS NULL)),
    CONSTRAINT decided_says_when CHECK ((verdict IS NULL) = (decided_at IS NULL)),
    CONSTRAINT approved_has_a_basis CHECK ((verdict IS NOT DISTINCT FROM 'approved') = (basis IS NOT NULL)),
    CONSTRAINT approved_by_a_person CHECK (basis IS DISTINCT FROM 'votes' OR decided_by IS NOT NULL),
    CONSTRAINT rejected_by_a_person_with_a_reason CHECK (
        verdict IS DISTINCT FROM 'rejected'
        OR (decided_by IS NOT NULL AND reason IS NOT NULL AND length(btrim(reason)) > 0)
    ),
    CONSTRAINT withdrawn_says_why CHECK (
        verdict IS DISTINCT FROM 'withdrawn' OR (phase = 'closed' AND reason IS NOT NULL AND outcome IS NULL)
    ),
    CONSTRAINT reported_has_an_outcome CHECK (phase <> 'reported' OR (outcome IS NOT NULL AND reported_at IS NOT NULL)),
    CONSTRAINT unreported_has_none CHECK (phase NOT IN ('awaiting', 'decided') OR (outcome IS NULL AND reported_at IS NULL)),
    CONSTRAINT closed_says_when CHECK ((phase = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT execution_id_kept_while_needed CHECK ((phase IN ('awaiting', 'decided')) = (execution_id IS NOT NULL))
)
"""

VOTES = """
CREATE TABLE votes (
    gate_id uuid NOT NULL REFERENCES gates (id),
    voter text NOT NULL,
    name text NOT NULL,
    choice text NOT NULL,
    reason text NOT NULL DEFAULT '',
    voted_at timestamptz NOT NULL,
    CONSTRAINT votes_pkey PRIMARY KEY (gate_id, voter),
    CONSTRAINT choice_is_known CHECK (choice IN ('approve', 'reject')),
    CONSTRAINT a_rejection_says_why CHECK (choice <> 'reject' OR length(btrim(reason)) > 0)
)
"""

REPORTS = """
CREATE TABLE reports (
    gate_id uuid PRIMARY KEY REFERENCES gates (id),
    answer text NOT NULL,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT answer_is_known CHECK (answer IN ('Succeeded', 'Failed'))
)
"""

CARDS = """
CREATE TABLE cards (
    gate_id uuid PRIMARY KEY REFERENCES gates (id),
    channel text,
    ts text,
    wanted_version integer NOT NULL DEFAULT 1,
    drawn_version integer NOT NULL DEFAULT 0,
    fingerprint text,
    posting_since timestamptz,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT posted_somewhere CHECK ((channel IS NULL) = (ts IS NULL)),
    CONSTRAINT an_outdated_card_is_due CHECK (due_at IS NOT NULL OR drawn_version = wanted_version)
)
"""

INDEXES = """
CREATE INDEX switches_due ON switches (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX switches_by_domain ON switches (domain, id DESC);
CREATE INDEX gates_waiting ON gates (deadline_at) WHERE phase = 'awaiting';
CREATE INDEX gates_open ON gates (switch_id) WHERE phase <> 'closed';
CREATE INDEX reports_due ON reports (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX cards_due ON cards (due_at) WHERE due_at IS NOT NULL
"""

# The walls behind the program's own: a gate never reopens, a decision is never rewritten, nothing is deleted.
GUARD = """
CREATE FUNCTION guard_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a gate is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.phase <> 'awaiting' THEN
            RAISE EXCEPTION 'a gate opens awaiting, not %', NEW.phase
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.switch_id, NEW.execution_hash, NEW.opened_at)
        IS DISTINCT FROM (OLD.id, OLD.switch_id, OLD.execution_hash, OLD.opened_at) THEN
        RAISE EXCEPTION 'what a gate is never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.phase <> OLD.phase AND (OLD.phase, NEW.phase) NOT IN (
        ('awaiting', 'decided'), ('awaiting', 'closed'), ('decided', 'reported'), ('decided', 'closed'),
        ('reported', 'closed')
    ) THEN
        RAISE EXCEPTION 'a gate does not go from % to %', OLD.phase, NEW.phase
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.phase = 'awaiting' AND NEW.phase = 'closed' AND NEW.verdict <> 'withdrawn' THEN
        RAISE EXCEPTION 'a waiting gate closes only as withdrawn' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.verdict IS NOT NULL AND (NEW.verdict, NEW.basis, NEW.decided_at, NEW.decided_by, NEW.decided_name, NEW.reason)
        IS DISTINCT FROM (OLD.verdict, OLD.basis, OLD.decided_at, OLD.decided_by, OLD.decided_name, OLD.reason) THEN
        RAISE EXCEPTION 'a decision is never rewritten' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.outcome IS NOT NULL AND (NEW.outcome, NEW.reported_at) IS DISTINCT FROM (OLD.outcome, OLD.reported_at) THEN
        RAISE EXCEPTION 'a report is never rewritten' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.deadline_at > OLD.deadline_at THEN
        RAISE EXCEPTION 'a deadline never moves away' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_gate BEFORE INSERT OR UPDATE OR DELETE ON gates FOR EACH ROW EXECUTE FUNCTION guard_gate()
"""


def upgrade() -> None:
    for statement in (SWITCHES, GATES, VOTES, REPORTS, CARDS, INDEXES, GUARD):
        op.execute(statement)


def downgrade() -> None:
    for table in ("cards", "reports", "votes", "gates", "switches"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION guard_gate()")
