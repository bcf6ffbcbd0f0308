"""Runs statements: SQLAlchemy's expressions, and SQL text with `:names`."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, text
from sqlalchemy.ext.asyncio import AsyncConnection

as_text = lru_cache(maxsize=256)(text)
"""`text`, cached: parsing its parameters takes longer than some statements."""


async def execute(
    connection: AsyncConnection, statement: str | Executable, values: Mapping[str, Any]
) -> Sequence[Any]:
    """Runs a statement, with `:names` if it is text, in the connection's transaction and gives its rows."""
    executable = as_text(statement) if isinstance(statement, str) else statement
    result = await connection.execute(executable, values)
    return result.all() if result.returns_rows else []
