"""A waiting gate in a few lines for one person: what changes, and what their approval would do."""

from collections.abc import Sequence
from typing import Final

from app.flow.read_models import CardPlace, GateView
from app.gate.rules.denials import AlreadyApproved
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.cards.health import health_line
from app.slack.cards.list_item import card_link
from app.slack.home.query import PreviewedGate
from app.slack.text.changes import change_lines
from app.slack.text.escape import escaped, inline
from app.slack.text.switch import creator, deployment_link
from app.slack.text.versions import switch_names
from app.slack.text.violations import rule_lines

MAX_GATE_CHARS: Final = 1400
"""Forty gates stay below the 250 kB of a view, also in Korean."""

MAX_CHANGES_CHARS: Final = 500
MAX_RULES: Final = 4


def gate_lines(view: GateView, *, place: CardPlace | None, base: str | None, texts: Texts) -> list[str]:
    """The versions, the deployment and the deadline."""
    return [
        texts(
            "home.gate",
            domain=escaped(switch_names(view, texts).switch),
            deployment=deployment_link(view),
            what=inline((view.switch.description or "").partition("\n")[0], max_chars=120),
        ),
        texts(
            "home.waits",
            deadline=when(view.deadline_at),
            who=creator(view),
            card=card_link(place, base, texts),
        ),
    ]


def evidence_lines(view: GateView, *, texts: Texts) -> list[str]:
    """What changes, and the health of green."""
    changes = change_lines(view.evidence, texts, max_chars=MAX_CHANGES_CHARS) if view.evidence else []
    return [line for line in (*changes, health_line(view, texts)) if line]


def approval_effect_text(previewed: PreviewedGate, *, texts: Texts) -> str:
    """The rules that block this person's approval, or that remain unmet after it; else empty."""
    preview = previewed.preview
    rules = rule_lines(preview.unmet, texts=texts, max_items=MAX_RULES) if preview.unmet else ""
    if preview.counts:
        return f"{texts('home.counts')}\n{rules}" if rules else ""
    said = texts("press.counted" if isinstance(preview.denial, AlreadyApproved) else "home.not_now")
    return f"{said}\n{rules}"


def within_limit(lines: Sequence[str], *, max_chars: int = MAX_GATE_CHARS) -> str:
    """As many whole lines as fit: a link cut in two is shown as markup."""
    kept: list[str] = []
    for line in lines:
        if sum(len(one) + 1 for one in kept) + len(line) > max_chars:
            return "\n".join([*kept, "…"])
        kept.append(line)
    return "\n".join(kept)
