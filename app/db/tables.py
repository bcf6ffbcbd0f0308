"""The tables: queries are composed from them, and `alembic check` compares the migrated database with them."""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    desc,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata: Final = MetaData()


def _text(name: str, *, needed: bool = False) -> Column[str]:
    return Column(name, Text, nullable=not needed)


def _at(name: str, *, needed: bool = False) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=not needed)


def _work() -> list[Column[object]]:
    """The columns of leased work; see `app.db.leases`."""
    return [
        Column("due_at", DateTime(timezone=True)),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("claimed_by", Uuid),
        Column("claimed_until", DateTime(timezone=True)),
        Column("last_error", Text),
    ]


switches: Final = Table(
    "switches",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _text("account", needed=True),
    _text("region", needed=True),
    _text("deployment_id", needed=True),
    _text("domain"),
    *map(_text, ("application", "deployment_group", "creator", "deployed_by", "deployer")),
    Column("named_deployers", ARRAY(Text), nullable=False, server_default="{}"),
    _text("description"),
    _text("config_name"),
    Column("traffic", JSONB),
    Column("listener_port", Integer),
    _at("hook_started_at"),
    _at("deployment_created_at"),
    _text("rollback_of"),
    _text("status"),
    _at("first_seen_at", needed=True),
    _at("verified_at"),
    _at("ended_at"),
    _text("end_reason"),
    Column("green_percent", Integer),
    _at("traffic_changed_at"),
    _at("switched_at"),
    _at("blue_until"),
    _text("rollback_id"),
    _text("previous_revision"),
    Column("auto_rollback", Boolean),
    _at("previous_stale_since"),
    *_work(),
    _text("previous_obstacle"),
    _at("traffic_read_at"),
    _at("traffic_stale_at"),
    Column("traffic_unknown", Boolean, nullable=False, server_default="false"),
    _at("shift_ended_at"),
    UniqueConstraint("account", "region", "deployment_id", name="switches_key"),
    Index("switches_by_rollback", "rollback_id", postgresql_where=text("rollback_id IS NOT NULL")),
    Index("switches_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)
Index("switches_by_deployment", switches.c.deployment_id)
Index(
    "switches_with_stale_previous",
    switches.c.previous_stale_since,
    postgresql_where=switches.c.previous_stale_since.is_not(None),
)
Index("switches_live", switches.c.domain, postgresql_where=switches.c.ended_at.is_(None))
Index("switches_newest", switches.c.domain, -switches.c.id)
Index(
    "switches_current",
    switches.c.domain,
    -switches.c.id,
    postgresql_where=text("ended_at IS NULL OR status = 'Succeeded'"),
)

gates: Final = Table(
    "gates",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("switch_id", BigInteger, ForeignKey("switches.id"), nullable=False),
    _text("execution_hash", needed=True),
    _text("execution_id"),
    _text("hook_name", needed=True),
    _text("phase", needed=True),
    Column("prompt_version", Integer, nullable=False, server_default="1"),
    Column("version", Integer, nullable=False, server_default="1"),
    _at("opened_at", needed=True),
    _at("deadline_at", needed=True),
    _text("verdict"),
    _text("basis"),
    _at("decided_at"),
    *map(_text, ("decided_by", "decided_name", "reason", "outcome", "outcome_detail")),
    *map(_at, ("reported_at", "event_read_at", "closed_at", "remind_at", "reminded_at")),
    Column("overridden_rules", JSONB),
    _text("domain"),
    Column("shown_by", Uuid, ForeignKey("gates.id")),
    Column("returns", Boolean),
    Column("observed", Boolean),
    UniqueConstraint("switch_id", "execution_hash", name="gates_key"),
    Index("gates_waiting", "deadline_at", postgresql_where=text("phase = 'awaiting'")),
    Index(
        "gates_to_remind",
        "remind_at",
        postgresql_where=text("phase = 'awaiting' AND remind_at IS NOT NULL"),
    ),
    Index("gates_open", "switch_id", postgresql_where=text("phase <> 'closed'")),
)
Index("gates_newest", desc(func.timezone(text("'UTC'"), gates.c.opened_at)), desc(gates.c.id))
Index(
    "gates_shown_by",
    gates.c.shown_by,
    desc(gates.c.switch_id),
    desc(gates.c.opened_at),
    postgresql_where=gates.c.shown_by.is_not(None),
)
Index("gates_by_domain", gates.c.domain, desc(gates.c.opened_at), desc(gates.c.id))
Index("gates_decided", desc(gates.c.decided_at), postgresql_where=gates.c.decided_at.is_not(None))
Index(
    "gates_approved",
    gates.c.domain,
    -gates.c.switch_id,
    desc(gates.c.opened_at),
    postgresql_where=text("verdict = 'approved' AND basis <> 'auto_rollback'"),
)
Index(
    "gates_let_through_elsewhere",
    gates.c.domain,
    -gates.c.switch_id,
    desc(gates.c.opened_at),
    postgresql_where=text("verdict <> 'approved' AND outcome_detail = 'Succeeded'"),
)

votes: Final = Table(
    "votes",
    metadata,
    Column("gate_id", Uuid, ForeignKey("gates.id"), primary_key=True),
    Column("voter", Text, primary_key=True),
    _text("name", needed=True),
    _text("choice", needed=True),
    Column("reason", Text, nullable=False, server_default=""),
    _at("voted_at", needed=True),
    Column("counted", Boolean, nullable=False, server_default="true"),
    Column("answers", JSONB),
)

memberships: Final = Table(
    "memberships",
    metadata,
    Column("entry", Text, primary_key=True),
    Column("members", ARRAY(Text), nullable=False, server_default="{}"),
    _at("last_synced_at"),
    _at("requested_at", needed=True),
)

reports: Final = Table(
    "reports",
    metadata,
    Column("gate_id", Uuid, ForeignKey("gates.id"), primary_key=True),
    _text("answer", needed=True),
    *_work(),
    Index("reports_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

cards: Final = Table(
    "cards",
    metadata,
    Column("gate_id", Uuid, ForeignKey("gates.id"), primary_key=True),
    _text("channel"),
    _text("ts"),
    Column("wanted_version", Integer, nullable=False, server_default="1"),
    Column("drawn_version", Integer, nullable=False, server_default="0"),
    _text("fingerprint"),
    _at("posting_since"),
    _text("posting_channel"),
    _at("drawn_at"),
    *_work(),
    Index("cards_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

card_copies: Final = Table(
    "card_copies",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("gate_id", Uuid, ForeignKey("gates.id"), nullable=False),
    _text("channel", needed=True),
    _text("ts", needed=True),
    _at("found_at", needed=True),
    *_work(),
    UniqueConstraint("channel", "ts", name="card_copies_key"),
    Index("card_copies_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

channel_id_changes: Final = Table(
    "channel_id_changes",
    metadata,
    Column("old_id", Text, primary_key=True),
    _text("new_id", needed=True),
    _at("learned_at", needed=True),
)

channel_problems: Final = Table(
    "channel_problems",
    metadata,
    Column("channel", Text, primary_key=True),
    _text("problem", needed=True),
    _at("since", needed=True),
)

threads: Final = Table(
    "threads",
    metadata,
    Column("gate_id", Uuid, ForeignKey("gates.id"), primary_key=True),
    Column("last_posted_seq", Integer, nullable=False, server_default="0"),
    Column("posting_seq", Integer),
    _at("posting_since"),
    _text("posting_channel"),
    _text("posting_thread"),
    *_work(),
    Index("threads_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

interventions: Final = Table(
    "interventions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("switch_id", BigInteger, ForeignKey("switches.id"), nullable=False),
    _text("kind", needed=True),
    Column("phase", Text, nullable=False, server_default="requested"),
    _text("requested_by", needed=True),
    _text("requested_name", needed=True),
    Column("reason", Text, nullable=False, server_default=""),
    _at("requested_at", needed=True),
    _text("deployment_id"),
    _text("problem_code"),
    _text("problem"),
    _at("finished_at"),
    *_work(),
    Index(
        "one_intervention_at_a_time",
        "switch_id",
        unique=True,
        postgresql_where=text("phase IN ('requested', 'sent')"),
    ),
    Index("interventions_by_deployment", "deployment_id", postgresql_where=text("deployment_id IS NOT NULL")),
    Index("interventions_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)
Index("interventions_of", interventions.c.switch_id, desc(interventions.c.requested_at))
evidence: Final = Table(
    "evidence",
    metadata,
    Column("gate_id", Uuid, ForeignKey("gates.id"), primary_key=True),
    Column("seen", JSONB),
    _at("seen_at"),
    *_work(),
    Column("blockers", JSONB),
    Column("live", JSONB),
    Index("evidence_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

announcements: Final = Table(
    "announcements",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("gate_id", Uuid, ForeignKey("gates.id"), nullable=False),
    _text("kind", needed=True),
    Column("subject", Text, nullable=False, server_default=""),
    _at("written_at", needed=True),
    _at("posting_since"),
    _text("ts"),
    *_work(),
    _text("posting_channel"),
    _text("posting_thread"),
    _text("channel"),
    UniqueConstraint("gate_id", "kind", "subject", name="announcements_key"),
    Index("announcements_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

channel_announcements: Final = Table(
    "channel_announcements",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _text("kind", needed=True),
    _text("channel", needed=True),
    Column("detail", JSONB, nullable=False),
    _at("written_at", needed=True),
    _at("posting_since"),
    _text("ts"),
    *_work(),
    Index("channel_announcements_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

subscriptions: Final = Table(
    "subscriptions",
    metadata,
    Column("person", Text, primary_key=True),
    Column("domains", ARRAY(Text)),
    _text("locale", needed=True),
    _at("changed_at", needed=True),
)

direct_messages: Final = Table(
    "direct_messages",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("gate_id", Uuid, ForeignKey("gates.id"), nullable=False),
    _text("person", needed=True),
    _at("written_at", needed=True),
    _text("channel"),
    _at("posting_since"),
    _text("ts"),
    _at("closed_at"),
    *_work(),
    UniqueConstraint("gate_id", "person", name="direct_messages_key"),
    Index("direct_messages_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("direct_messages_open", "gate_id", postgresql_where=text("closed_at IS NULL")),
)

checks: Final = Table(
    "checks",
    metadata,
    Column("account", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("deployment_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _text("state", needed=True),
    Column("summary", Text, nullable=False, server_default=""),
    _text("url"),
    _text("reported_by", needed=True),
    _at("reported_at", needed=True),
    Column("matched", Boolean, nullable=False, server_default="false"),
    Index("checks_unmatched", "reported_at", postgresql_where=text("NOT matched")),
)

probe_runs: Final = Table(
    "probe_runs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("gate_id", Uuid, ForeignKey("gates.id"), nullable=False),
    _text("name", needed=True),
    _at("requested_at", needed=True),
    *_work(),
    UniqueConstraint("gate_id", "name", name="probe_runs_key"),
    Index("probe_runs_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

freezes: Final = Table(
    "freezes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("domains", ARRAY(Text)),
    _at("starts_at", needed=True),
    _at("ends_at", needed=True),
    _text("reason", needed=True),
    _text("declared_by", needed=True),
    _at("declared_at", needed=True),
    _at("ended_at"),
    _text("lifted_by"),
    Index("freezes_active", "ends_at", postgresql_where=text("ended_at IS NULL")),
)

gate_rule_snapshots: Final = Table(
    "gate_rule_snapshots",
    metadata,
    Column("gate_id", Uuid, ForeignKey("gates.id"), primary_key=True),
    _text("fingerprint", needed=True),
    Column("frozen", Boolean, nullable=False),
    Column("awaiting_exclusivity", Boolean, nullable=False, server_default="false"),
)

handled_requests: Final = Table(
    "handled_requests",
    metadata,
    Column("key", Text, primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("handled_requests_by_time", "handled_at"),
)
