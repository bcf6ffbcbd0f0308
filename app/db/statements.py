"""Runs statements that are written as SQL text."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

as_text = lru_cache(maxsize=256)(text)
"""`text`, cached: parsing its parameters takes longer than some statements."""


async def execute(connection: AsyncConnection, statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
    """Runs a statement with `:names` in the connection's transaction and gives its rows."""
    parsed: TextClause = as_text(statement)
    result = await connection.execute(parsed, values)
    return result.all() if result.returns_rows else []
