"""Invalidates cards: raises the versions of gates and makes their cards due.

Every statement locks several gates in the order of their ids, and their cards after them. So two statements on the
same gates cannot deadlock.
"""

from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Select, select, update

from app.db.expressions import NOW_PARAM, is_among
from app.db.tables import cards, gates

INVALIDATE_CARDS_OF_G: Final = """
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
"""
"""For statements that are written as text: the cards of the gates in `g`."""


def invalidation(*where: ColumnElement[bool]) -> tuple[CTE, CTE]:
    """Two parts of a WITH: `g` raises the versions of all matching gates, `c` makes their cards due at `now`."""
    locked = select(gates.c.id).where(*where).order_by(gates.c.id).with_for_update(key_share=True, of=gates)
    g = (
        update(gates)
        .where(is_among(gates.c.id, locked))
        .values(version=gates.c.version + 1)
        .returning(gates.c.id, gates.c.version)
        .cte("g")
    )
    c = (
        update(cards)
        .where(cards.c.gate_id == g.c.id)
        .values(wanted_version=g.c.version, due_at=NOW_PARAM, attempts=0)
        .cte("c")
    )
    return g, c


def invalidate_cards(*where: ColumnElement[bool]) -> Select[Any]:
    """Invalidates the cards of all matching gates; gives the ids of the gates."""
    g, c = invalidation(*where)
    return select(g.c.id).add_cte(c)
