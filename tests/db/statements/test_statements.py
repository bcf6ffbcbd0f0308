"""Statements that are written as SQLAlchemy expressions."""

from typing import Final

import pytest
from sqlalchemy import Insert, Update
from sqlalchemy.sql import visitors

from tests.db.statements.statement_cases import Statement, parameters_of, statements

EXPRESSIONS: Final = {name: found for name, found in statements() if not isinstance(found, str)}


@pytest.mark.parametrize("statement", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_no_parameter_is_named_like_a_column_that_its_statement_writes(statement: Statement) -> None:
    """SQLAlchemy sets a column to the parameter of its name, in every INSERT and UPDATE of the statement."""
    assert not isinstance(statement, str)
    if isinstance(statement, Insert) and statement.select is None:
        return  # its parameters are the columns
    written = [each.table for each in visitors.iterate(statement) if isinstance(each, Insert | Update)]
    columns = {column.name for table in written for column in table.columns}
    assert not parameters_of(statement) & columns
