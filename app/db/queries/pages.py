"""Pages of search results: their order, and the cursor that asks for the next page."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, Table, func, literal, literal_column

T = TypeVar("T")

MAX_ID: Final = 2**63 - 1


class NotACursor(ValueError):
    """The cursor does not belong to this query."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[T]):
    """One page, newest first; `cursor` asks for the next, None when this is the last."""

    items: Sequence[T]
    cursor: str | None


def equality_conditions(table: Table, wanted: dict[str, str | None]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in wanted.items() if value is not None]


def first(statement: Select[Any], *order: ColumnElement[Any], limit: int) -> Select[Any]:
    """LIMIT as a literal: for a parameter the planner would assume many rows."""
    return statement.order_by(*order).limit(literal_column(str(limit)))


def in_utc(column: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """The order of the index over all rows of a table.

    Only queries without a domain or person use it: otherwise the planner would scan all rows by this index in the hope
    of an early match.
    """
    return func.timezone(literal_column("'UTC'"), column)


def unchanged(column: ColumnElement[datetime]) -> ColumnElement[datetime]:
    return column


def time_literal(moment: datetime) -> ColumnElement[datetime]:
    return literal(moment, DateTime(timezone=True))


def encode_cursor(at: str, id_: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, id_]).encode()).decode()


def read_cursor(cursor: str) -> tuple[str, int]:
    try:
        at, id_ = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError, RecursionError) as exc:
        raise NotACursor from exc
    # `type`, because true and false are ints to isinstance. Whatever else JSON can hold does not look like ours.
    if not isinstance(at, str) or type(id_) is not int or not 0 <= id_ <= MAX_ID:
        raise NotACursor
    if encode_cursor(at, id_) != cursor:
        raise NotACursor
    return at, id_


def read_moment(text_: str) -> datetime:
    try:
        at = datetime.fromisoformat(text_)
    except ValueError as exc:
        raise NotACursor from exc
    if at.tzinfo is None or at.isoformat() != text_:
        raise NotACursor
    return at


def read_uuid(text_: str) -> UUID:
    try:
        return UUID(text_)
    except ValueError as exc:
        raise NotACursor from exc
