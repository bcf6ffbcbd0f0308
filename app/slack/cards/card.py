"""Renders a gate as a card. The same gate always gives the same card.

Every state has one order: header, verdict, what changes and why, context, buttons, ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.flow.approval.rule_status import RuleStatus
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import GateView
from app.gate.state_machine import Awaiting
from app.i18n.catalog import Texts
from app.slack.blocks import Block, context, header, section
from app.slack.cards.actions import card_actions
from app.slack.cards.changes import changes_text
from app.slack.cards.context import decided_context, ids_text, waiting_context
from app.slack.cards.decided import decided_lines, reason_lines
from app.slack.cards.header import header_text, notification_text
from app.slack.cards.state import card_state
from app.slack.cards.waiting import waiting_lines

MAX_BLOCKS: Final = 8
NONE_CLOSED: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A message. `text` is what a notification or a screen reader says."""

    text: str
    blocks: list[Block]


def render_card(
    view: GateView,
    *,
    texts: Texts,
    domain: OwnedDomain | None,
    rule_status: RuleStatus | None = None,
    closed_channels: Mapping[str, str] = NONE_CLOSED,
) -> Card:
    """`domain` is None while the gate is unverified or its domain is no longer configured.

    `rule_status`: the rules as they apply now; None once the gate is decided. `closed_channels`: those in which
    Slack refuses messages, with its reason.
    """
    state = card_state(view, configured=domain is not None, rule_status=rule_status)
    title = header_text(view, state, domain=domain, rule_status=rule_status, texts=texts)
    if isinstance(view.gate, Awaiting):
        verdict = waiting_lines(view, configured=domain is not None, rule_status=rule_status, texts=texts)
        reasons: list[str] = []
        small = waiting_context(
            view, domain=domain, rule_status=rule_status, closed_channels=closed_channels, texts=texts
        )
    else:
        verdict, reasons = decided_lines(view, state, texts), reason_lines(view, texts)
        small = decided_context(view, texts)
    changes = changes_text(view, texts)
    blocks = [
        header(title),
        *_section(verdict),
        *_section(reasons),
        *_section([changes] if changes else []),
        *_context(small),
        *card_actions(view, state, domain=domain, rule_status=rule_status, texts=texts),
        context(ids_text(view)),
    ]
    return Card(text=notification_text(view, title, texts), blocks=blocks)


def _section(lines: list[str]) -> list[Block]:
    shown = [line for line in lines if line]
    return [section("\n".join(shown))] if shown else []


def _context(lines: list[str]) -> list[Block]:
    shown = [line for line in lines if line]
    return [context("\n".join(shown))] if shown else []
