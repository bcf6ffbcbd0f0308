"""Problems are announced, also in the escalation channel; acts on freezes in channels; waiting gates by direct message."""

from typing import Final

from alembic import op

revision = "0030"
down_revision = "0029"

WORK: Final = """
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    claimed_by uuid,
    claimed_until timestamptz,
    last_error text"""
OF_WORK: Final = """
WITH (fillfactor = 70, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.005,
      autovacuum_analyze_threshold = 500, autovacuum_analyze_scale_factor = 0.01)"""

TABLES: Final = f"""
ALTER TABLE announcements ADD COLUMN channel text;
CREATE TABLE channel_announcements (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    channel text NOT NULL,
    detail jsonb NOT NULL,
    written_at timestamptz NOT NULL,
    posting_since timestamptz,
    ts text,{WORK},
    CONSTRAINT channel_posted_or_due CHECK ((ts IS NULL) = (due_at IS NOT NULL))
){OF_WORK};
CREATE INDEX channel_announcements_due ON channel_announcements (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE subscriptions (
    person text PRIMARY KEY,
    domains text[],
    locale text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT subscription_locale_is_known CHECK (locale IN ('en', 'ko')),
    CONSTRAINT subscribed_to_a_domain CHECK (domains IS NULL OR cardinality(domains) > 0)
);
CREATE TABLE direct_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gate_id uuid NOT NULL REFERENCES gates (id),
    person text NOT NULL,
    written_at timestamptz NOT NULL,
    channel text,
    posting_since timestamptz,
    ts text,
    closed_at timestamptz,{WORK},
    CONSTRAINT direct_messages_key UNIQUE (gate_id, person),
    CONSTRAINT direct_message_open_or_closed CHECK (
        CASE WHEN closed_at IS NOT NULL THEN due_at IS NULL ELSE ts IS NOT NULL OR due_at IS NOT NULL END),
    CONSTRAINT direct_message_has_a_place CHECK (ts IS NULL OR channel IS NOT NULL)
){OF_WORK};
CREATE INDEX direct_messages_due ON direct_messages (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX direct_messages_open ON direct_messages (gate_id) WHERE closed_at IS NULL
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    # An older release does not know these kinds.
    op.execute("DELETE FROM announcements WHERE channel IS NOT NULL")
    op.execute(
        "DELETE FROM announcements WHERE kind NOT IN ('break_glass', 'freeze_ended', 'exclusivity_free')"
    )
    op.execute("ALTER TABLE announcements DROP COLUMN channel")
    op.execute("DROP TABLE direct_messages")
    op.execute("DROP TABLE subscriptions")
    op.execute("DROP TABLE channel_announcements")
