"""Checks that CI and probes attach to a switch, and the runs of our own probes."""

from alembic import op

revision = "0007"
down_revision = "0006"

# Without a key to `switches`: CI may be quicker than the hook. An empty account: whoever told it named none.
CHECKS = """
CREATE TABLE checks (
    account text NOT NULL,
    region text NOT NULL,
    deployment_id text NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    summary text NOT NULL DEFAULT '',
    url text,
    told_by text NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT checks_pkey PRIMARY KEY (deployment_id, region, account, name),
    CONSTRAINT check_state_is_known CHECK (state IN ('pending', 'passed', 'failed')),
    CONSTRAINT check_name_is_short CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT check_summary_is_short CHECK (length(summary) <= 500),
    CONSTRAINT check_url_is_https CHECK (url LIKE 'https://%' AND length(url) <= 2000)
);
CREATE INDEX checks_by_time ON checks (told_at);
CREATE INDEX switches_by_deployment ON switches (deployment_id)
"""

PROBE_RUNS = """
CREATE TABLE probe_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gate_id uuid NOT NULL REFERENCES gates (id),
    name text NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT probe_runs_key UNIQUE (gate_id, name)
);
CREATE INDEX probe_runs_due ON probe_runs (due_at) WHERE due_at IS NOT NULL
"""

ACTORS = """
ALTER TABLE audit_events
    DROP CONSTRAINT actor_kind_is_known,
    ADD CONSTRAINT actor_kind_is_known CHECK (actor_kind IN ('person', 'switchgate', 'codedeploy', 'hook', 'api'))
"""
ACTORS_BEFORE = """
ALTER TABLE audit_events
    DROP CONSTRAINT actor_kind_is_known,
    ADD CONSTRAINT actor_kind_is_known CHECK (actor_kind IN ('person', 'switchgate', 'codedeploy', 'hook')) NOT VALID
"""


def upgrade() -> None:
    for statement in (CHECKS, PROBE_RUNS, ACTORS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE probe_runs")
    op.execute("DROP TABLE checks")
    op.execute("DROP INDEX switches_by_deployment")
    op.execute(ACTORS_BEFORE)
