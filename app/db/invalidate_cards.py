"""Has cards redrawn: the gates' versions are raised, and their cards are due.

Whoever locks several gates locks them in the order of their ids, and their cards after them. So two statements that
are about the same gates never wait for each other, whichever rows they find first.
"""

from typing import Final

INVALIDATE_CARDS_OF_G: Final = """
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
"""
"""The cards of the gates in `g`."""


def locked_gate_ids(where: str, *, join: str = "") -> str:
    """An array of the ids of these gates, which are then locked. `where` and `join` speak of `gates`."""
    return f"""ARRAY(
        SELECT gates.id FROM gates {join} WHERE {where} ORDER BY gates.id FOR NO KEY UPDATE OF gates
    )"""


def invalidate_cards(where: str, *, join: str = "") -> str:
    """The parts `g` and `c` of a WITH: every gate that fits, and its card."""
    return f"""g AS (
    UPDATE gates SET version = version + 1 WHERE id = ANY({locked_gate_ids(where, join=join)}) RETURNING id, version
), c AS ({INVALIDATE_CARDS_OF_G})"""
