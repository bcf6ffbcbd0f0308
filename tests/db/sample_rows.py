"""A database with one gate in each phase, written by SQL alone."""

from typing import Final
from uuid import UUID

import psycopg

AWAITING: Final = UUID(int=1)
DECIDED: Final = UUID(int=2)
REPORTED: Final = UUID(int=3)
CLOSED: Final = UUID(int=4)

SWITCH: Final = """
INSERT INTO switches (account, region, deployment_id, domain, application, deployment_group, creator, status,
                      first_seen_at, verified_at, due_at)
VALUES ('123456789012', 'ap-northeast-2', %s, 'order', 'order-app', 'order-dg', 'user', 'InProgress',
        '2026-11-24T03:00Z', '2026-11-24T03:00Z', '2026-11-24T03:00Z')
RETURNING id
"""
GATE: Final = """
INSERT INTO gates (id, switch_id, execution_hash, execution_id, hook_name, phase, opened_at, deadline_at)
VALUES (%s, %s, %s, 'secret', 'BeforeAllowTraffic', 'awaiting', '2026-11-24T03:00Z', '2026-11-24T03:55Z')
"""
DECIDE: Final = """
UPDATE gates SET phase = 'decided', verdict = 'approved', basis = 'votes', decided_at = '2026-11-24T03:10Z',
    decided_by = 'U1', decided_name = 'Ana' WHERE id = %s
"""
REPORT: Final = """
UPDATE gates SET phase = 'reported', outcome = 'acknowledged', outcome_detail = 'Succeeded', execution_id = NULL,
    reported_at = '2026-11-24T03:11Z' WHERE id = %s
"""
CLOSE: Final = "UPDATE gates SET phase = 'closed', closed_at = '2026-11-24T04:00Z' WHERE id = %s"
VOTE: Final = (
    "INSERT INTO votes (gate_id, voter, name, choice, voted_at) VALUES (%s, 'U1', 'Ana', 'approve', now())"
)
EVIDENCE: Final = "INSERT INTO evidence (gate_id, seen, seen_at) VALUES (%s, '{}', now())"
EVENT: Final = """
INSERT INTO audit_events (at, kind, account, region, deployment_id, domain, gate_id, actor_kind, detail, seq, hash)
VALUES ('2026-11-24T03:00Z', 'gate_opened', '123456789012', 'ap-northeast-2', %s, 'order', %s, 'hook', '{}', 0, '')
"""


def fill(url: str) -> None:
    """Puts one gate of each phase into a migrated database, each with a card, a vote and audit events."""
    with psycopg.connect(url) as connection:
        for number, gate in enumerate((AWAITING, DECIDED, REPORTED, CLOSED), start=1):
            deployment = f"d-{number}"
            row = connection.execute(SWITCH, [deployment]).fetchone()
            assert row is not None
            connection.execute(GATE, [gate, row[0], f"hash{number}"])
            connection.execute("INSERT INTO cards (gate_id, due_at) VALUES (%s, now())", [gate])
            connection.execute(EVIDENCE, [gate])
            connection.execute(VOTE, [gate])
            for statement in (DECIDE, REPORT, CLOSE)[: number - 1]:
                connection.execute(statement, [gate])
            if number > 1:
                connection.execute("INSERT INTO reports (gate_id, answer) VALUES (%s, 'Succeeded')", [gate])
            for _ in range(3):
                connection.execute(EVENT, [deployment, gate])
