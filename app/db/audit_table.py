"""The table of the audit trail."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    desc,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables import metadata

audit_events: Final = Table(
    "audit_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("deployment_id", Text, nullable=False),
    Column("domain", Text),
    Column("gate_id", Uuid),
    Column("actor_kind", Text, nullable=False),
    Column("actor", Text),
    Column("actor_name", Text),
    Column("detail", JSONB, nullable=False, server_default="{}"),
    Column("seq", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("account", "region", "deployment_id", "seq", name="audit_chain"),
)
for _name, _columns in {
    "domain": ("domain",),
    "deployment": ("deployment_id",),
    "actor": ("actor",),
    "kind": ("kind",),
    "domain_kind": ("domain", "kind"),
    "actor_kind": ("actor", "kind"),
    "actor_domain": ("actor", "domain"),
}.items():
    Index(
        f"audit_by_{_name}",
        *(audit_events.c[column] for column in _columns),
        desc(audit_events.c.at),
        desc(audit_events.c.id),
        postgresql_where=audit_events.c.actor.is_not(None) if _name.startswith("actor_") else None,
    )
Index("audit_newest", desc(func.timezone(text("'UTC'"), audit_events.c.at)), desc(audit_events.c.id))
