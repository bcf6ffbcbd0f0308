"""Evidence that an earlier version kept with its commands, masked in part: they are taken out, also once decided."""

import json
from typing import Any
from uuid import UUID

import psycopg

from app.db.mapping.evidence_json import evidence_from_json, evidence_to_json
from app.db.migrate import migrate
from tests.db.sample_rows import AWAITING, DECIDED, fill
from tests.gate.seen import evidence

OLD = {"what": "command", "how": "added", "name": "command", "container": "order", "before": None}


def kept_before() -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(evidence_to_json(evidence()))
    seen["changes"] = [OLD | {"after": "run --requirepass S3cr3t"}]
    seen["green"]["revision"]["containers"] *= 2
    seen["green"]["revision"]["containers"] = [
        one | {"command": "run --requirepass S3cr3t"} for one in seen["green"]["revision"]["containers"]
    ]
    return seen


def test_commands_are_taken_out_of_what_was_kept(empty_url: str) -> None:
    migrate(empty_url)
    fill(empty_url)
    migrate(empty_url, to="0012")
    with psycopg.connect(empty_url) as connection:
        connection.execute("ALTER TABLE evidence DISABLE TRIGGER guard_evidence")
        connection.execute("UPDATE evidence SET seen = %s, seen_at = now()", [json.dumps(kept_before())])
        connection.execute("ALTER TABLE evidence ENABLE TRIGGER guard_evidence")
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        rows: dict[UUID, Any] = dict(connection.execute("SELECT gate_id, seen FROM evidence").fetchall())
    assert {AWAITING, DECIDED} <= rows.keys()
    for seen in rows.values():
        assert "S3cr3t" not in json.dumps(seen)
        read = evidence_from_json(seen)
        assert read is not None
        assert isinstance(read.changes, tuple)
        assert [change.part for change in read.changes] == ["command"]
