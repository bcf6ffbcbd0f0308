"""Where a gate's card is: its own or, if it has none, that of the gate whose card shows it."""

from typing import Final

from sqlalchemy import ColumnElement, case, func

from app.db.repositories.messages.channels import current_id
from app.db.tables import cards, gates

SHOWING: Final = cards.alias("showing")
"""Join it by `IS_SHOWING`, after `cards`."""

IS_SHOWING: Final[ColumnElement[bool]] = SHOWING.c.gate_id == gates.c.shown_by
CARD_TS: Final[ColumnElement[str]] = func.coalesce(cards.c.ts, SHOWING.c.ts)
CARD_PLACE: Final = (
    case((cards.c.ts.is_not(None), current_id(cards.c.channel)), else_=current_id(SHOWING.c.channel)).label(
        "channel"
    ),
    CARD_TS.label("ts"),
)
