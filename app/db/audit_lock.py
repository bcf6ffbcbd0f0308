"""The audit chain's lock comes first, before any row: one order for everybody, so that nobody waits in a circle.

Who writes to a deployment's chain holds its lock until the commit (the trigger of `audit_events` takes it). To take
it after rows that others wait for with the lock in hand would be a deadlock.
"""

from typing import Final

from app.gate.ids import SwitchKey

_KEY: Final = "hashtextextended(s.account || '/' || s.region || '/' || s.deployment_id, 7)"


def _of(lock: str, where: str) -> str:
    return f"SELECT {lock}({_KEY}) AS taken FROM switches s WHERE {where}"


OF_GATE: Final = "s.id = (SELECT g.switch_id FROM gates g WHERE g.id = :gate)"
GATE_CHAIN: Final = f"(SELECT count(*) FROM ({_of('pg_advisory_xact_lock', OF_GATE)}) k) >= 0"
"""True, with the chain of `:gate`'s deployment locked. A subquery of its own runs before any row is looked at."""

GATE_CHAIN_OR_SKIP: Final = f"(SELECT taken FROM ({_of('pg_try_advisory_xact_lock', OF_GATE)}) k)"
"""Whether the chain of `:gate`'s deployment is free; then it is locked."""

SWITCH_CHAIN: Final = f"(SELECT count(*) FROM ({_of('pg_advisory_xact_lock', 's.id = :id')}) k) >= 0"
"""True, with the chain of the switch `:id` locked."""


def _named(name: str) -> str:
    lock = f"pg_advisory_xact_lock(hashtextextended(CAST({name} AS text), 7))"
    return f"(SELECT count(*) FROM (SELECT {lock}) k) >= 0"


_BEHIND: Final = """
    SELECT o.* FROM switches me JOIN switches o ON o.account = me.account AND o.region = me.region
    WHERE me.id = :id AND me.claimed_by = :owner AND o.id = ANY(ARRAY(
        SELECT r.id FROM switches r WHERE r.rollback_id = me.deployment_id
        UNION ALL
        SELECT i.switch_id FROM interventions i WHERE i.deployment_id = me.deployment_id
    ))
    ORDER BY o.id OFFSET 0
"""
CHAINS_BEHIND: Final = f"SELECT pg_advisory_xact_lock({_KEY}) AS taken FROM ({_BEHIND}) s"
"""Locks the chains of the deployments that the switch `:id` takes back: its look writes to theirs too.

They come before its own: `CHAIN_OF_THE_NEW` is taken in that order.
"""

CHAINS_BEHIND_HELD: Final = (
    f"SELECT coalesce(bool_and(pg_try_advisory_xact_lock({_KEY})), true) AS held FROM ({_BEHIND}) s"
)
"""Whether all of them are held, once the switch itself is locked.

While its own chain was waited for, somebody may have written that it takes back one more deployment. From then on
nobody can: that takes this switch's chain or its row.
"""

GATES_BEHIND: Final = f"SELECT b.id FROM ({_BEHIND}) b"
"""The switches that the switch `:id` takes back."""

THE_CHAIN: Final = _named(":chain")
"""True, with the chain that `:chain` names (`chain_of`) locked."""

CHAIN_OF_THE_NEW: Final = _named(":new_chain")
"""The same of a deployment that the first one has made. Nobody who holds this one waits for the first."""


def chain_of(key: SwitchKey) -> str:
    """The name of a deployment's chain."""
    return f"{key.account}/{key.region}/{key.deployment}"
