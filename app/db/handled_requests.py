"""Request keys, kept longer than a Slack signature is valid (five minutes), so that a repeated request has no effect.

The key is written in the transaction of the request, under the lock of the row that it is about.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, Text, bindparam, delete, exists, func, literal_column, select
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

_claimed = CLAIM_REQUEST.cte("claimed")


def claiming(read: Select[Any]) -> Select[Any]:
    """A read under the subject's lock that claims the request, too: one round trip for both. Adds `is_new`."""
    return read.add_columns(exists(select(_claimed.c.key)).label("is_new")).add_cte(_claimed)


def request_key(request: str, *, subject: object) -> str:
    """A request may change several subjects, each in a transaction of its own."""
    return f"{request}/{subject}"


async def claim_request(connection: AsyncConnection, request: str | None, *, subject: object) -> bool:
    """Stores the request's key for this subject. False: it was stored before, so the request is repeated.

    Call it under the subject's lock. Without a key nothing is stored, and no request counts as repeated.
    """
    if request is None:
        return True
    return bool(await execute(connection, CLAIM_REQUEST, {"request": request_key(request, subject=subject)}))
