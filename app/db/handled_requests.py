"""Request keys, kept longer than a Slack signature is valid (five minutes), so that a repeated request has no effect.

The key is written in the transaction of the change, under the lock of the changed row.
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
"""Gives a row if the request is new. Also deletes some expired keys."""


def claim_statements(request: str | None) -> list[str]:
    """The statement to run after the lock; none without a request key."""
    return [] if request is None else [CLAIM_REQUEST]


def subject_key(request: str | None, subject: object) -> str | None:
    """The key for one subject: a request may change several, each in its own transaction."""
    return None if request is None else f"{request}/{subject}"
