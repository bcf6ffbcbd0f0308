"""Invalidates cards: raises the versions of gates and makes their cards due.

Every statement locks several gates in the order of their ids, and their cards after them. So two statements on the
same gates cannot deadlock.
"""

from typing import Final

INVALIDATE_CARDS_OF_G: Final = """
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
"""
"""The cards of the gates in `g`."""


def locked_gate_ids(where: str, *, join: str = "") -> str:
    """SQL: an array of the ids of the matching gates, which it locks. `where` and `join` refer to `gates`."""
    return f"""ARRAY(
        SELECT gates.id FROM gates {join} WHERE {where} ORDER BY gates.id FOR NO KEY UPDATE OF gates
    )"""


def invalidate_cards(where: str, *, join: str = "") -> str:
    """SQL: the parts `g` and `c` of a WITH: all matching gates, and their cards."""
    return f"""g AS (
    UPDATE gates SET version = version + 1 WHERE id = ANY({locked_gate_ids(where, join=join)}) RETURNING id, version
), c AS ({INVALIDATE_CARDS_OF_G})"""
