"""Request keys, kept longer than a Slack signature is valid (five minutes), so that a repeated request has no effect.

The key is written in the transaction of the request, under the lock of the row that it is about.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import Text, bindparam, delete, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.expressions import GATE_PARAM, is_among
from app.db.gate_view import GATE_VIEW
from app.db.mapping.rows import gate_view_from_row
from app.db.statements import execute
from app.db.tables import gates, handled_requests
from app.flow.read_models import GateView
from app.gate.ids import GateId

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
SELECT_GATE: Final = GATE_VIEW.where(gates.c.id == GATE_PARAM)
SELECT_GATE_FOR_REQUEST: Final = SELECT_GATE.add_columns(
    exists(select(_claimed.c.key)).label("is_new")
).add_cte(_claimed)
"""Claims the request, too: one round trip for both."""


async def claim_request(connection: AsyncConnection, request: str | None, *, subject: object) -> bool:
    """Stores the request's key for this subject. False: it was stored before, so the request is repeated.

    Call it under the subject's lock. A request may change several subjects, each in a transaction of its own. Without
    a key nothing is stored, and no request counts as repeated.
    """
    if request is None:
        return True
    return bool(await execute(connection, CLAIM_REQUEST, {"request": _key(request, subject)}))


async def read_gate_for_request(
    connection: AsyncConnection, gate: GateId, request: str | None
) -> tuple[GateView, bool]:
    """The gate, and whether the request is repeated: `claim_request` for this gate. Call it under the lock."""
    if request is None:
        (row,) = await execute(connection, SELECT_GATE, {"gate": gate})
        return gate_view_from_row(row), False
    values = {"gate": gate, "request": _key(request, gate)}
    (row,) = await execute(connection, SELECT_GATE_FOR_REQUEST, values)
    return gate_view_from_row(row), not row.is_new


def _key(request: str, subject: object) -> str:
    return f"{request}/{subject}"
