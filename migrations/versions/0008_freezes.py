"""Freezes, and what the rules of the moment last said of each waiting gate."""

from alembic import op

revision = "0008"
down_revision = "0007"

# `domains` NULL: all of them. A freeze is over once its end has come or somebody has lifted it.
FREEZES = """
CREATE TABLE freezes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domains text[],
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    reason text NOT NULL,
    declared_by text NOT NULL,
    declared_at timestamptz NOT NULL,
    over_at timestamptz,
    lifted_by text,
    CONSTRAINT a_freeze_ends_after_its_start CHECK (ends_at > starts_at),
    CONSTRAINT a_freeze_says_why CHECK (length(btrim(reason)) > 0),
    CONSTRAINT a_freeze_is_of_something CHECK (domains IS NULL OR cardinality(domains) > 0),
    CONSTRAINT lifted_is_over CHECK (lifted_by IS NULL OR over_at IS NOT NULL)
);
CREATE INDEX freezes_standing ON freezes (ends_at) WHERE over_at IS NULL
"""

MARKS = """
CREATE TABLE rule_marks (
    gate_id uuid PRIMARY KEY REFERENCES gates (id),
    mark text NOT NULL,
    frozen boolean NOT NULL
)
"""


def upgrade() -> None:
    op.execute(FREEZES)
    op.execute(MARKS)


def downgrade() -> None:
    op.execute("DROP TABLE rule_marks")
    op.execute("DROP TABLE freezes")
