"""The audit chain's lock comes first, before any row: one order for everybody, so that nobody waits in a circle.

Who writes to a deployment's chain holds its lock until the commit (the trigger of `audit_events` takes it). To take
it after rows that others wait for with the lock in hand would be a deadlock.
"""

from typing import Final

from app.gate.ids import SwitchKey

_KEY: Final = "hashtextextended(s.account || '/' || s.region || '/' || s.deployment_id, 7)"


def _of(lock: str, where: str) -> str:
    return f"SELECT {lock}({_KEY}) AS taken FROM switches s WHERE {where}"


WHERE_GATE: Final = "s.id = (SELECT g.switch_id FROM gates g WHERE g.id = :gate)"
GATE_AUDIT_LOCK: Final = f"(SELECT count(*) FROM ({_of('pg_advisory_xact_lock', WHERE_GATE)}) k) >= 0"
"""True, with the chain of `:gate`'s deployment locked. A subquery of its own runs before any row is looked at."""

TRY_GATE_AUDIT_LOCK: Final = f"(SELECT taken FROM ({_of('pg_try_advisory_xact_lock', WHERE_GATE)}) k)"
"""Whether the chain of `:gate`'s deployment is free; then it is locked."""

SWITCH_AUDIT_LOCK: Final = f"(SELECT count(*) FROM ({_of('pg_advisory_xact_lock', 's.id = :id')}) k) >= 0"
"""True, with the chain of the switch `:id` locked."""


def _named(name: str) -> str:
    lock = f"pg_advisory_xact_lock(hashtextextended(CAST({name} AS text), 7))"
    return f"(SELECT count(*) FROM (SELECT {lock}) k) >= 0"


_ROLLED_BACK: Final = """
    SELECT o.* FROM switches me JOIN switches o ON o.account = me.account AND o.region = me.region
    WHERE me.id = :id AND me.claimed_by = :owner AND o.id = ANY(ARRAY(
        SELECT r.id FROM switches r WHERE r.rollback_id = me.deployment_id
        UNION ALL
        SELECT i.switch_id FROM interventions i WHERE i.deployment_id = me.deployment_id
    ))
    ORDER BY o.id OFFSET 0
"""
LOCK_ROLLED_BACK_AUDIT: Final = f"SELECT pg_advisory_xact_lock({_KEY}) AS taken FROM ({_ROLLED_BACK}) s"
"""Locks the chains of the deployments that the switch `:id` takes back: its look writes to theirs too.

They come before its own: `NEW_DEPLOYMENT_AUDIT_LOCK` is taken in that order.
"""

ROLLED_BACK_AUDIT_LOCKS_HELD: Final = (
    f"SELECT coalesce(bool_and(pg_try_advisory_xact_lock({_KEY})), true) AS held FROM ({_ROLLED_BACK}) s"
)
"""Whether all of them are held, once the switch itself is locked.

While its own chain was waited for, somebody may have written that it takes back one more deployment. From then on
nobody can: that takes this switch's chain or its row.
"""

ROLLED_BACK_SWITCHES: Final = f"SELECT b.id FROM ({_ROLLED_BACK}) b"
"""The switches that the switch `:id` takes back."""

NAMED_AUDIT_LOCK: Final = _named(":audit_lock")
"""True, with the chain that `:audit_lock` names (`audit_lock_name`) locked."""

NEW_DEPLOYMENT_AUDIT_LOCK: Final = _named(":new_audit_lock")
"""The same of a deployment that the first one has made. Nobody who holds this one waits for the first."""


def audit_lock_name(key: SwitchKey) -> str:
    """The name of a deployment's chain."""
    return f"{key.account}/{key.region}/{key.deployment}"
