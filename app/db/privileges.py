"""What the runtime role may do with each table: what the service's statements need, and no more.

`switchgate migrate` grants it (`app/db/runtime_role.py`). Replicas of the release before run on the same grants: take a
privilege away only a release after the last statement that needs it.
"""

from collections.abc import Mapping
from typing import Final

READ: Final = frozenset({"SELECT"})
ADD: Final = READ | {"INSERT"}
CHANGE: Final = ADD | {"UPDATE"}
REMOVE: Final = CHANGE | {"DELETE"}

# No sequence is among them: every sequence belongs to an identity column, which needs no privilege of its own.
RUNTIME_PRIVILEGES: Final[Mapping[str, frozenset[str]]] = {
    "alembic_version": READ,
    "announcements": REMOVE,
    "audit_events": ADD,
    "card_copies": CHANGE,
    "cards": CHANGE,
    "channel_announcements": REMOVE,
    "channel_id_changes": REMOVE,
    "channel_problems": REMOVE,
    "checks": REMOVE,
    "direct_messages": CHANGE,
    "evidence": CHANGE,
    "freezes": CHANGE,
    "gate_rule_snapshots": CHANGE,
    "gates": CHANGE,
    "handled_requests": REMOVE,
    "interventions": CHANGE,
    "memberships": CHANGE,
    "probe_runs": CHANGE,
    "reports": CHANGE,
    "subscriptions": REMOVE,
    "switches": CHANGE,
    "threads": CHANGE,
    "votes": REMOVE,
}
"""By table, the privileges of the runtime role."""
