"""Requests that took effect, remembered for longer than Slack's signature holds (five minutes).

A key is written in the transaction of the change that it makes, under the lock of what it changes.
"""

from typing import Final

CLAIM_REQUEST: Final = """
WITH old AS (
    DELETE FROM handled_requests WHERE key = ANY(ARRAY(
        SELECT key FROM handled_requests WHERE handled_at < now() - interval '15 minutes'
        ORDER BY handled_at LIMIT 50 FOR UPDATE SKIP LOCKED
    ))
)
INSERT INTO handled_requests (key) VALUES (:request) ON CONFLICT (key) DO NOTHING RETURNING key
"""
"""Gives a row where the request is new; and sweeps a few that are too old to be sent again."""


def claim_statements(request: str | None) -> list[str]:
    """The statement to run after a lock; none where there is no request to tell apart."""
    return [] if request is None else [CLAIM_REQUEST]


def subject_key(request: str | None, subject: object) -> str | None:
    """One request may change several things, each in its own transaction."""
    return None if request is None else f"{request}/{subject}"
