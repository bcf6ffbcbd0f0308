"""Where posts were tried, second copies of cards, channels whose ids changed or that take no messages, user groups."""

from alembic import op

revision = "0014"
down_revision = "0013"

COPIES = """
CREATE TABLE card_copies (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gate_id uuid NOT NULL REFERENCES gates (id),
    channel text NOT NULL,
    ts text NOT NULL,
    found_at timestamptz NOT NULL,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text,
    CONSTRAINT card_copies_key UNIQUE (channel, ts)
);
CREATE INDEX card_copies_due ON card_copies (due_at) WHERE due_at IS NOT NULL
"""
ID_CHANGES = """
CREATE TABLE channel_id_changes (
    old_id text PRIMARY KEY,
    new_id text NOT NULL,
    learned_at timestamptz NOT NULL,
    CONSTRAINT a_changed_id_is_another CHECK (old_id <> new_id)
)
"""
PROBLEMS = """
CREATE TABLE channel_problems (
    channel text PRIMARY KEY,
    problem text NOT NULL,
    since timestamptz NOT NULL
)
"""
GROUPS = """
CREATE TABLE user_groups (
    id text PRIMARY KEY,
    heard_at timestamptz NOT NULL
)
"""


def upgrade() -> None:
    op.execute("ALTER TABLE cards ADD COLUMN posting_channel text, ADD COLUMN drawn_at timestamptz")
    op.execute("ALTER TABLE threads ADD COLUMN telling_channel text, ADD COLUMN telling_thread text")
    for statement in (COPIES, ID_CHANGES, PROBLEMS, GROUPS):
        op.execute(statement)


def downgrade() -> None:
    for table in ("user_groups", "channel_problems", "channel_id_changes", "card_copies"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE threads DROP COLUMN telling_channel, DROP COLUMN telling_thread")
    op.execute("ALTER TABLE cards DROP COLUMN posting_channel, DROP COLUMN drawn_at")
