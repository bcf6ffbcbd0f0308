"""Take it back? The form says by which way, how long that takes, and wants a reason."""

import re
from dataclasses import dataclass
from typing import Final

from app.flow.views import GateView, ends_blue
from app.gate.undo import Deed
from app.i18n.catalog import Texts
from app.slack.blocks import Block, modal, section, text_input
from app.slack.outside import escaped, inline
from app.slack.switch_words import domain_name
from app.slack.ticket import NotATicket, Ticket

CALLBACK: Final = "undo_reason"
REASON: Final = "reason"
LONGEST: Final = 1000

_SHAPE: Final = re.compile(r"(?P<ticket>[^/]+)/(?P<deed>stop|redeploy)")


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoTicket:
    """What the form carries: the gate, and the way that the person was shown."""

    ticket: Ticket
    deed: Deed

    def __str__(self) -> str:
        return f"{self.ticket}/{self.deed}"

    @classmethod
    def parse(cls, value: object) -> "UndoTicket":
        """Raises `NotATicket`."""
        found = _SHAPE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise NotATicket
        return cls(ticket=Ticket.parse(found["ticket"]), deed=Deed(found["deed"]))


def undo_form(ticket: Ticket, *, view: GateView, deed: Deed, texts: Texts) -> Block:
    """The modal for this way back."""
    key = "stop_blue_ends" if deed is Deed.STOP and ends_blue(view) else deed.value
    says = texts(
        f"undo.says.{key}",
        domain=escaped(domain_name(view, texts)),
        deployment=inline(view.switch.key.deployment),
        previous=inline(view.switch.previous_revision or ""),
    )
    return modal(
        callback=CALLBACK,
        title=texts("undo.title"),
        submit=texts(f"undo.submit.{deed}"),
        close=texts("undo.close"),
        metadata=str(UndoTicket(ticket=ticket, deed=deed)),
        blocks=[
            section(says),
            text_input(block_id=REASON, label=texts("undo.label"), hint=texts("undo.hint"), longest=LONGEST),
        ],
    )


def undo_notice(text: str, *, texts: Texts) -> Block:
    """What the form turns into when the undo does not count."""
    return modal(
        callback="notice", title=texts("undo.title"), close=texts("undo.close"), blocks=[section(text)]
    )
