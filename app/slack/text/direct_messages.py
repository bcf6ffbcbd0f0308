"""The text of direct messages about waiting gates."""

from app.flow.notify.send_direct_message import DueDirectMessage
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.cards.list_item import card_link, decided_line
from app.slack.text.escape import inline
from app.slack.text.switch import domain_name


def waiting_text(due: DueDirectMessage, *, texts: Texts, base: str | None) -> str:
    """What waits, until when, and the link to its card. `base`: the workspace's URL."""
    view = due.view
    return texts(
        "notify.waiting",
        domain=domain_name(view, texts),
        deployment=inline(view.switch.key.deployment),
        what=inline(view.switch.description or "", max_chars=120),
        deadline=when(view.deadline_at),
        card=card_link(due.card, base, texts),
    )


def decided_text(due: DueDirectMessage, *, texts: Texts, base: str | None) -> str:
    """How it was decided, so that nobody decides twice."""
    return texts(
        "notify.decided",
        domain=domain_name(due.view, texts),
        decision=decided_line(due.view, texts=texts),
        card=card_link(due.card, base, texts),
    )
