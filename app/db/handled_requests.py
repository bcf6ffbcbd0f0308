"""Request keys, kept longer than a Slack signature is valid (five minutes), so that a repeated request has no effect.

The key is written in the transaction of the change, under the lock of the changed row.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import Text, bindparam, delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.expressions import is_among
from app.db.statements import execute
from app.db.tables import handled_requests

RETENTION: Final = timedelta(minutes=15)
MAX_DELETED: Final = 50

_expired = (
    select(handled_requests.c.key)
    .where(handled_requests.c.handled_at < func.now() - RETENTION)
    .order_by(handled_requests.c.handled_at)
    .limit(literal_column(str(MAX_DELETED)))
    .with_for_update(skip_locked=True)
)
_delete_expired = delete(handled_requests).where(is_among(handled_requests.c.key, _expired)).cte("expired")
CLAIM_REQUEST: Final = (
    insert(handled_requests)
    .from_select(["key"], select(bindparam("request", type_=Text)))
    .on_conflict_do_nothing(index_elements=[handled_requests.c.key])
    .returning(handled_requests.c.key)
    .add_cte(_delete_expired)
)
"""Gives a row if the request is new. Also deletes some expired keys."""


async def is_replayed(connection: AsyncConnection, request: str | None, *, subject: object) -> bool:
    """Whether the request has changed the subject before; if not, stores that it does. Call it under the lock.

    A request may change several subjects, each in a transaction of its own. False without a request.
    """
    if request is None:
        return False
    return not await execute(connection, CLAIM_REQUEST, {"request": f"{request}/{subject}"})
