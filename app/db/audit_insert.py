"""Inserts audit events: one statement parameter, however many events."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.statements import execute
from app.flow.audit_events import Event

INSERT_EVENTS: Final = """
    INSERT INTO audit_events
        (at, kind, account, region, deployment_id, domain, gate_id, actor_kind, actor, actor_name, detail,
         seq, hash)
    SELECT e.at, e.kind, e.account, e.region, e.deployment_id, e.domain, e.gate_id, e.actor_kind, e.actor,
           e.actor_name, e.detail, 0, ''
    FROM jsonb_to_recordset(CAST(:events AS jsonb)) AS e(
        at timestamptz, kind text, account text, region text, deployment_id text, domain text, gate_id uuid,
        actor_kind text, actor text, actor_name text, detail jsonb)
"""
"""As text, because textual statements contain it. The trigger of `audit_events` sets seq and hash."""


async def insert_events(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Inserts the events; none cost no statement."""
    if events:
        await execute(connection, INSERT_EVENTS, {"events": events_parameter(events)})


def events_parameter(events: Sequence[Event]) -> str:
    """The value of `:events`. NUL, which Postgres cannot hold, is dropped."""
    rows = [
        {
            "at": event.at.isoformat(),
            "kind": event.kind,
            "account": event.switch.account,
            "region": event.switch.region,
            "deployment_id": event.switch.deployment,
            "domain": event.domain,
            "gate_id": str(event.gate) if event.gate else None,
            "actor_kind": event.actor.kind,
            "actor": event.actor.id,
            "actor_name": event.actor.name,
            "detail": dict(event.detail),
        }
        for event in events
    ]
    return json.dumps(rows, ensure_ascii=False).replace("\\u0000", "")
