"""What live traffic holds an approval for, beside the evidence that it was found in; and no commands in evidence."""

import json
from typing import Any

from alembic import op
from sqlalchemy import text

revision = "0013"
down_revision = "0012"

GUARD = """
CREATE OR REPLACE FUNCTION guard_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'evidence is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.gate_id, NEW.seen, NEW.seen_at{blockers}) IS DISTINCT FROM (OLD.gate_id, OLD.seen, OLD.seen_at{old})
        AND EXISTS (SELECT 1 FROM gates WHERE id = OLD.gate_id AND phase <> 'awaiting') THEN
        RAISE EXCEPTION 'evidence stays as it was when the gate was decided'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

WITH_COMMANDS = """SELECT gate_id, seen FROM evidence WHERE seen::text LIKE '%"command"%'"""
REWRITE = "UPDATE evidence SET seen = CAST(:seen AS jsonb) WHERE gate_id = :gate_id"


def without_commands(seen: dict[str, Any]) -> dict[str, Any]:
    """Commands were kept with what looked like a secret masked; many forms of a secret do not look like one."""
    for change in seen["changes"] if isinstance(seen.get("changes"), list) else ():
        if change["what"] == "command":
            change |= {"how": "changed", "before": None, "after": None}
    for side in ("blue", "green"):
        revision = (seen.get(side) or {}).get("revision") or {}
        for container in revision.get("containers", ()):
            container.pop("command", None)
    return seen


def upgrade() -> None:
    op.execute("ALTER TABLE evidence ADD COLUMN blockers jsonb")
    op.execute("ALTER TABLE evidence DISABLE TRIGGER guard_evidence")
    connection = op.get_bind()
    for gate_id, seen in connection.execute(text(WITH_COMMANDS)).all():
        cleared = json.dumps(without_commands(seen), ensure_ascii=False)
        connection.execute(text(REWRITE), {"gate_id": gate_id, "seen": cleared})
    op.execute("ALTER TABLE evidence ENABLE TRIGGER guard_evidence")
    op.execute(GUARD.format(blockers=", NEW.blockers", old=", OLD.blockers"))


def downgrade() -> None:
    op.execute(GUARD.format(blockers="", old=""))
    op.execute("ALTER TABLE evidence DROP COLUMN blockers")
