"""Request keys, kept longer than a Slack signature is valid (five minutes), so that a repeated request has no effect.

The key is written in the transaction of the change, under the lock of the changed row.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.statements import execute

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


async def is_replayed(connection: AsyncConnection, request: str | None, *, subject: object) -> bool:
    """Whether the request has changed the subject before; if not, stores that it does. Call it under the lock.

    A request may change several subjects, each in a transaction of its own. False without a request.
    """
    if request is None:
        return False
    return not await execute(connection, CLAIM_REQUEST, {"request": f"{request}/{subject}"})
