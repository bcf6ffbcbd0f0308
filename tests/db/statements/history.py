"""A database with a long history: many ended switches, with everything that was written along the way.

Written by INSERT … SELECT with the triggers off and the indexes away, so that a million switches take minutes.
Among the domains are two awkward ones: `retired` has failed long ago and often, `rare` was deployed three times.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import psycopg
from psycopg import sql

from app.db.mapping.evidence_json import evidence_to_json
from tests.gate.seen import evidence

DOMAINS: Final = ("auth", "user", "order", "hub", "delivery", "notification", "promotion", "payment")
TABLES: Final = (
    *("switches", "gates", "votes", "reports", "cards", "threads", "evidence", "checks", "probe_runs"),
    *(
        "gate_rule_snapshots",
        "announcements",
        "channel_announcements",
        "direct_messages",
        "interventions",
        "freezes",
        "audit_events",
    ),
)

# One switch each half minute, the last one an hour ago. Of fifty, one is taken back by the one after it.
HISTORY: Final = """
CREATE TEMPORARY TABLE history AS
SELECT n, %(first_id)s + n AS switch_id, md5('gate' || n)::uuid AS gate_id, 'd-H' || n AS deployment, d.domain,
    'U0' || lpad((n %% 40)::text, 3, '0') AS person,
    (n %% 50) = 1 AND d.domain <> 'retired' AS rollback,
    CASE WHEN d.domain = 'retired' OR n %% 10 = 3 THEN 'rejected' WHEN n %% 10 = 7 THEN 'expired' ELSE 'approved' END
        AS verdict,
    CAST(%(now)s AS timestamptz) - interval '1 hour' - (%(switches)s - n) * interval '30 seconds' AS at
FROM generate_series(1, %(switches)s) n
CROSS JOIN LATERAL (SELECT CASE
    WHEN n %% 50 = 1 THEN (CAST(%(domains)s AS text[]))[1 + (n - 1) %% cardinality(CAST(%(domains)s AS text[]))]
    WHEN n < %(switches)s / 5 AND n %% 10 = 3 THEN 'retired'
    WHEN n IN (7, 77, 777) THEN 'rare'
    ELSE (CAST(%(domains)s AS text[]))[1 + n %% cardinality(CAST(%(domains)s AS text[]))] END AS domain) d
"""
SWITCHES: Final = """
INSERT INTO switches (id, account, region, deployment_id, domain, application, deployment_group, creator, deployed_by,
    deployer, description, config_name, traffic, listener_port, hook_started_at, deployment_created_at, rollback_of,
    status, first_seen_at, verified_at, ended_at, end_reason, green_percent, traffic_changed_at, switched_at,
    rollback_id, previous_revision, auto_rollback)
OVERRIDING SYSTEM VALUE
SELECT switch_id, '123456789012', 'ap-northeast-2', deployment, domain, domain || '-app', domain || '-dg',
    CASE WHEN rollback THEN 'codeDeployRollback' ELSE 'user' END, 'github:somebody', person,
    'GitHub Actions run 1234567890 of commit 0123456789abcdef', 'CodeDeployDefault.ECSAllAtOnce',
    '{"shift": "all_at_once", "percent": 100, "minutes": 0}', 8020, at, at - interval '2 minutes',
    CASE WHEN rollback THEN 'd-H' || n - 1 END,
    CASE WHEN verdict = 'approved' THEN 'Succeeded' WHEN verdict = 'rejected' THEN 'Failed' ELSE 'Stopped' END,
    at, at, at + interval '20 minutes', CASE WHEN verdict = 'approved' THEN 'Succeeded' ELSE 'Failed' END,
    CASE WHEN verdict = 'approved' THEN 100 END, at + interval '6 minutes',
    CASE WHEN verdict = 'approved' THEN at + interval '6 minutes' END,
    CASE WHEN n %% 50 = 0 THEN 'd-H' || n + 1 END, domain || ':41', true
FROM history ORDER BY n
"""
GATES: Final = """
INSERT INTO gates (id, switch_id, execution_hash, hook_name, phase, version, opened_at, deadline_at, verdict, basis,
    decided_at, decided_by, decided_name, reason, outcome, outcome_detail, reported_at, closed_at, domain)
SELECT CASE step WHEN 0 THEN gate_id ELSE md5('first' || n)::uuid END, switch_id, md5(n || '/' || step),
    CASE step WHEN 0 THEN 'BeforeAllowTraffic' ELSE 'AfterAllowTestTraffic' END, 'closed', 12,
    at - step * interval '3 minutes', at + interval '50 minutes', verdict,
    CASE WHEN verdict <> 'approved' THEN NULL WHEN rollback THEN 'auto_rollback' ELSE 'votes' END,
    at + interval '5 minutes',
    CASE WHEN verdict <> 'expired' THEN person END, CASE WHEN verdict <> 'expired' THEN 'Somebody' END,
    'because of what was seen', 'acknowledged', 'Succeeded', at + interval '5 minutes', at + interval '20 minutes',
    domain
FROM history CROSS JOIN generate_series(0, 1) step WHERE step = 0 OR n %% 10 = 0 ORDER BY n
"""
OF_GATES: Final = (
    """
    INSERT INTO votes (gate_id, voter, name, choice, reason, voted_at)
    SELECT gate_id, person, 'Somebody', CASE verdict WHEN 'approved' THEN 'approve' ELSE 'reject' END, 'seen', at
    FROM history WHERE verdict <> 'expired' AND NOT rollback
    """,
    """
    INSERT INTO reports (gate_id, answer, attempts)
    SELECT id, 'Succeeded', 1 FROM gates WHERE switch_id > %(first_id)s
    """,
    """
    INSERT INTO cards (gate_id, channel, ts, wanted_version, drawn_version, fingerprint)
    SELECT id, 'C01DEPLOY', '1764000000.' || lpad((row_number() OVER ())::text, 9, '0'), 12, 12, md5(id::text)
    FROM gates WHERE switch_id > %(first_id)s
    """,
    "INSERT INTO threads (gate_id, last_posted_seq) SELECT id, 9 FROM gates WHERE switch_id > %(first_id)s",
    """
    INSERT INTO evidence (gate_id, seen, seen_at)
    SELECT id, CASE WHEN kept THEN CAST(%(evidence)s AS jsonb) END, CASE WHEN kept THEN opened_at END
    FROM gates CROSS JOIN LATERAL (SELECT get_byte(uuid_send(id), 0) %% 5 = 0 AS kept) k
    WHERE switch_id > %(first_id)s
    """,
    """
    INSERT INTO gate_rule_snapshots (gate_id, fingerprint, frozen)
    SELECT id, md5(id::text), false FROM gates WHERE switch_id > %(first_id)s
    """,
    """
    INSERT INTO probe_runs (gate_id, name, requested_at)
    SELECT gate_id, 'order-create', at FROM history WHERE n %% 4 = 0
    """,
    """
    INSERT INTO announcements (gate_id, kind, subject, written_at, ts)
    SELECT gate_id, 'freeze_ended', 'x', at, '1764000000.000100' FROM history WHERE n %% 20 = 0
    """,
    """
    INSERT INTO channel_announcements (kind, channel, detail, written_at, ts)
    SELECT 'freeze_ended', 'C01DEPLOY', '{"freezes": [], "domains": null, "by": null}', at, '1764000000.000100'
    FROM history WHERE n %% 20 = 0
    """,
    """
    INSERT INTO direct_messages (gate_id, person, written_at, channel, ts, closed_at)
    SELECT gate_id, person, at, 'D01', '1764000000.000100', at FROM history WHERE n %% 20 = 0
    """,
)
OF_SWITCHES: Final = (
    """
    INSERT INTO checks (account, region, deployment_id, name, state, summary, reported_by, reported_at, matched)
    SELECT '123456789012', 'ap-northeast-2', deployment, 'order-create smoke', 'passed', '12 of 12', 'api:ci', at,
        at < CAST(%(now)s AS timestamptz) - interval '8 days'
    FROM history WHERE n %% 2 = 0
    """,
    """
    INSERT INTO interventions (id, switch_id, kind, phase, requested_by, requested_name, reason, requested_at,
        deployment_id, finished_at)
    SELECT md5('intervention' || n)::uuid, switch_id, CASE WHEN n %% 100 = 0 THEN 'stop' ELSE 'redeploy' END, 'done',
        person, 'Somebody', 'Orders fail on green.', at, 'd-H' || n + 1, at + interval '3 minutes'
    FROM history WHERE n %% 50 = 0
    """,
    """
    INSERT INTO freezes (domains, starts_at, ends_at, reason, declared_by, declared_at, ended_at)
    SELECT ARRAY[domain], at, at + interval '1 hour', 'stock-taking', person, at, at + interval '1 hour'
    FROM history WHERE n %% 200 = 0
    """,
)
EVENTS: Final = """
INSERT INTO audit_events (at, kind, account, region, deployment_id, domain, gate_id, actor_kind, actor, actor_name,
    detail, seq, hash)
SELECT at + seq * interval '20 seconds',
    (ARRAY['gate_opened', 'card_posted', 'evidence_seen', 'check_told', 'vote_cast', 'gate_decided', 'report_told',
           'traffic_moved', 'switched', 'switch_ended'])[1 + (seq - 1) %% 10],
    '123456789012', 'ap-northeast-2', deployment, domain, gate_id,
    CASE WHEN seq %% 10 IN (5, 6) THEN 'person' WHEN seq %% 10 = 1 THEN 'hook' ELSE 'switchgate' END,
    CASE WHEN seq %% 10 IN (5, 6) THEN person END, CASE WHEN seq %% 10 IN (5, 6) THEN 'Somebody' END,
    '{"hook": "BeforeAllowTraffic", "deadline": "2026-11-24T03:55:00+00:00"}', seq,
    sha256(convert_to(deployment, 'UTF8'))
FROM history CROSS JOIN generate_series(1, %(events)s) seq ORDER BY n, seq
"""
INDEXES: Final = """
SELECT i.relname, pg_get_indexdef(i.oid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid
WHERE t.relname = ANY(%s) AND t.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid)
"""


def fill_history(
    url: str,
    *,
    switches: int,
    now: datetime,
    events: int = 10,
    domains: Sequence[str] = DOMAINS,
) -> None:
    """Adds so many ended switches, of so many events each, to a migrated database. Needs a superuser."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(INDEXES, [list(TABLES)]).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        first = connection.execute("SELECT coalesce(max(id), 0) FROM switches").fetchone()
        assert first is not None
        values = {
            "switches": switches,
            "events": events,
            "domains": list(domains),
            "now": now,
            "first_id": first[0],
            "evidence": evidence_to_json(evidence()),
        }
        for statement in (HISTORY, SWITCHES, GATES, *OF_GATES, *OF_SWITCHES, EVENTS):
            connection.execute(statement, values)
        connection.execute("SELECT setval(pg_get_serial_sequence('switches', 'id'), max(id)) FROM switches")
        for _, definition in indexes:
            connection.execute(definition)
    with psycopg.connect(url, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))
