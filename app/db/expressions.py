"""Expressions that several statements share, in the form that Postgres's planner needs."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    CompoundSelect,
    DateTime,
    Integer,
    Select,
    Uuid,
    all_,
    any_,
    bindparam,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

ONE: Final[ColumnElement[int]] = literal_column("1")
"""LIMIT 1 as a literal: for a parameter the planner would assume many rows."""

EMPTY: Final[ColumnElement[str]] = literal_column("''")

NOW_PARAM: Final = bindparam("now", type_=DateTime(timezone=True))
LIMIT: Final = bindparam("limit", type_=Integer)
GATE_PARAM: Final = bindparam("gate", type_=Uuid)
SWITCH_PARAM: Final = bindparam("switch", type_=BigInteger)


def is_one_of(column: Column[Any], name: str) -> ColumnElement[bool]:
    """`column = ANY(:name)`: one statement for lists of every length."""
    return column == any_(_list(column, name))


def is_none_of(column: Column[Any], name: str) -> ColumnElement[bool]:
    """`column <> ALL(:name)`."""
    return column != all_(_list(column, name))


def is_among(column: Column[Any], rows: Select[Any] | CompoundSelect[Any]) -> ColumnElement[bool]:
    """`column = ANY(ARRAY(SELECT …))`: runs the subquery once, and reads the table by its index whatever the plan."""
    alone = rows.correlate(None) if isinstance(rows, Select) else rows
    return column == any_(func.array(alone.scalar_subquery()))


def condition(sql: str) -> ColumnElement[bool]:
    """A condition that is written as SQL text."""
    return text(sql)  # type: ignore[return-value]  # TextClause is accepted wherever a condition is


def _list(column: Column[Any], name: str) -> BindParameter[Any]:
    return bindparam(name, type_=ARRAY(column.type))
