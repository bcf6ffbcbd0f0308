"""The audit lock of a deployment. Take it before any row lock: one order for all transactions prevents deadlocks.

The trigger of `audit_events` takes the lock, and a transaction holds it until the commit. A transaction that locks rows
first can deadlock with one that holds the audit lock and waits for those rows.

The conditions are SQL text: they stand in statements of both kinds, and say in which order Postgres evaluates them.
"""

from typing import Final

from sqlalchemy import Text, bindparam, func, select

from app.gate.ids import SwitchKey

_KEY: Final = "hashtextextended(s.account || '/' || s.region || '/' || s.deployment_id, 7)"


def _of(lock: str, where: str) -> str:
    return f"SELECT {lock}({_KEY}) AS taken FROM switches s WHERE {where}"


WHERE_GATE: Final = "s.id = (SELECT g.switch_id FROM gates g WHERE g.id = :gate)"
GATE_AUDIT_LOCK: Final = f"(SELECT count(*) FROM ({_of('pg_advisory_xact_lock', WHERE_GATE)}) k) >= 0"
"""True. Takes the audit lock of `:gate`'s deployment, in a subquery that runs before any row is read."""

TRY_GATE_AUDIT_LOCK: Final = f"(SELECT taken FROM ({_of('pg_try_advisory_xact_lock', WHERE_GATE)}) k)"
"""Whether the audit lock of `:gate`'s deployment was free; then it is taken."""

SWITCH_AUDIT_LOCK: Final = f"(SELECT count(*) FROM ({_of('pg_advisory_xact_lock', 's.id = :switch')}) k) >= 0"
"""True. Takes the audit lock of the switch `:switch`."""


def _named(name: str) -> str:
    lock = f"pg_advisory_xact_lock(hashtextextended(CAST({name} AS text), 7))"
    return f"(SELECT count(*) FROM (SELECT {lock}) k) >= 0"


_ROLLED_BACK: Final = """
    SELECT o.* FROM switches me JOIN switches o ON o.account = me.account AND o.region = me.region
    WHERE me.id = :id AND me.claimed_by = :owner AND o.id = ANY(ARRAY(
        SELECT r.id FROM switches r WHERE r.rollback_id = me.deployment_id
        UNION ALL
        SELECT r.id FROM switches r WHERE r.deployment_id = me.rollback_of
        UNION ALL
        SELECT i.switch_id FROM interventions i WHERE i.deployment_id = me.deployment_id
    ))
    ORDER BY o.id OFFSET 0
"""
LOCK_ROLLED_BACK_AUDIT: Final = f"SELECT pg_advisory_xact_lock({_KEY}) AS taken FROM ({_ROLLED_BACK}) s"
"""Takes the audit locks of the deployments that the switch `:id` rolls back: a poll of it writes events of theirs, too.

Lock the rolled-back deployment first, as `NEW_DEPLOYMENT_AUDIT_LOCK` does.
"""

ROLLED_BACK_AUDIT_LOCKS_HELD: Final = (
    f"SELECT coalesce(bool_and(pg_try_advisory_xact_lock({_KEY})), true) AS held FROM ({_ROLLED_BACK}) s"
)
"""Whether all of them are held. Run it after the switch itself is locked.

While this transaction waited for the switch's own lock, another one may have stored one more deployment that it rolls
back. After that none can: it would need this switch's audit lock or its row.
"""

ROLLED_BACK_SWITCHES: Final = f"SELECT b.id FROM ({_ROLLED_BACK}) b"
"""The switches that the switch `:id` rolls back."""

TAKE_AUDIT_LOCK: Final = select(
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("audit_lock", type_=Text), 7))
)
"""Takes the audit lock that `audit_lock` names, in a statement of its own."""

NAMED_AUDIT_LOCK: Final = _named(":audit_lock")
"""True. Takes the audit lock that `:audit_lock` names; see `audit_lock_name`."""

NEW_DEPLOYMENT_AUDIT_LOCK: Final = _named(":new_audit_lock")
"""The same for a deployment that the first one created. Who holds this lock never waits for the first."""


def audit_lock_name(key: SwitchKey) -> str:
    """The name of a deployment's audit lock."""
    return f"{key.account}/{key.region}/{key.deployment}"
