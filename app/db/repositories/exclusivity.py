"""Related switches of other domains, and the exclusivity lock."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from app.db.database import Database
from app.db.mapping.rows import IncoherentRow, traffic_from_json
from app.gate.ids import DeploymentId, DomainName
from app.gate.rules.exclusivity import AFTER_ALLOW_TRAFFIC, FailedEnd, RelatedSwitch
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS

EXCLUSIVITY_LOCK: Final = "SELECT pg_advisory_xact_lock(1902, 1)"
"""Held until the commit by a transaction that approves under exclusivity, so that the second of two sees the first.

One lock for all sets: replicas whose configurations differ for a moment still exclude each other. Take it after the
audit lock and the rows of the gate; its holder waits for no other lock. Two-number keys do not collide with the
one-number keys of the audit locks.
"""

ANSWERED_ELSEWHERE: Final = "(verdict <> 'approved' AND coalesce(outcome_detail, '') = 'Succeeded')"
"""CodeDeploy was answered outside Switchgate: traffic moves whatever was decided here."""

# A partial index holds the few live ones. The last one of each domain shows how the previous switch ended.
RELATED_SWITCHES: Final = f"""
SELECT s.domain, s.deployment_id, s.traffic, s.green_percent, s.switched_at, s.ended_at,
    g.waiting_since, g.approved_at, g.refused, g.after_traffic,
    GREATEST(g.approved_at, g.refused_at, s.traffic_changed_at, s.switched_at, s.blue_until)
        AS last_observed_at
FROM switches s CROSS JOIN LATERAL (
    SELECT min(opened_at) FILTER (WHERE phase = 'awaiting') AS waiting_since,
        max(decided_at) FILTER (WHERE verdict = 'approved' AND basis NOT IN ('auto_rollback', 'undo')
            AND coalesce(outcome, 'acknowledged') = 'acknowledged' OR {ANSWERED_ELSEWHERE}) AS approved_at,
        max(decided_at) FILTER (WHERE verdict IN ('rejected', 'expired') AND NOT {ANSWERED_ELSEWHERE}) AS refused_at,
        max(verdict) FILTER (WHERE verdict IN ('rejected', 'expired') AND NOT {ANSWERED_ELSEWHERE}) AS refused,
        bool_or(hook_name = :after_traffic) AS after_traffic
    FROM gates WHERE switch_id = s.id
) g
WHERE s.verified_at IS NOT NULL AND coalesce(s.creator, '') <> ALL(:rescuers) AND s.id = ANY(ARRAY(
    SELECT id FROM switches WHERE domain = ANY(:domains) AND ended_at IS NULL
    UNION
    SELECT l.id FROM unnest(CAST(:domains AS text[])) AS d(domain) CROSS JOIN LATERAL (
        SELECT id FROM switches o WHERE o.domain = d.domain AND coalesce(o.creator, '') <> ALL(:rescuers)
        ORDER BY -id LIMIT 1
    ) l
))
ORDER BY s.id
"""


async def related_switches(database: Database, domains: Sequence[DomainName]) -> list[RelatedSwitch]:
    """These domains' switches that live, and the last one of each, the oldest first."""
    rows = await database.rows(RELATED_SWITCHES, **related_switches_parameters(domains))
    return [related_switch_from_row(row) for row in rows]


def related_switches_parameters(domains: Sequence[DomainName]) -> dict[str, Any]:
    """The values of `RELATED_SWITCHES`."""
    return {
        "domains": list(domains),
        "rescuers": sorted(AUTO_ROLLBACK_CREATORS),
        "after_traffic": AFTER_ALLOW_TRAFFIC,
    }


def related_switch_from_row(row: Any) -> RelatedSwitch:
    """A row of `RELATED_SWITCHES`. An unreadable traffic value is dropped; the switch still counts."""
    try:
        traffic = traffic_from_json(row.traffic)
    except IncoherentRow:
        traffic = None
    return RelatedSwitch(
        domain=DomainName(row.domain),
        deployment=DeploymentId(row.deployment_id),
        waiting_since=row.waiting_since,
        approved_at=row.approved_at,
        refused=FailedEnd(row.refused) if row.refused else None,
        moved=bool(row.green_percent or row.after_traffic),
        switched_at=row.switched_at,
        ended_at=row.ended_at,
        last_observed_at=row.last_observed_at,
        pause=timedelta(minutes=traffic.minutes if traffic else 0),
    )
