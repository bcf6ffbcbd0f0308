"""The row of buttons of a card: at most three, and a menu of what is secondary."""

from typing import Final

from app.flow.approval.rule_status import RuleStatus
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import GateView
from app.flow.switch_progress import is_let_through, undo_context_of
from app.gate.rules.checks import PROBE
from app.gate.state_machine import Awaiting
from app.gate.undo import Progress
from app.i18n.catalog import Texts
from app.slack.blocks import Block, actions
from app.slack.cards.buttons import (
    Confirmation,
    approve_button,
    break_glass_button,
    details_button,
    finish_button,
    open_codedeploy_button,
    reject_button,
    retract_vote_button,
    run_checks_button,
    undo_button,
    withdraw_button,
)
from app.slack.cards.overflow import as_menu
from app.slack.cards.state import CardState, is_blocked
from app.slack.text.undo_options import undo_kind
from app.slack.text.versions import switch_names

TROUBLE: Final = frozenset(
    {
        CardState.FAILED,
        CardState.FAILED_ROLLING_BACK,
        CardState.ROLLBACK_FAILED,
        CardState.AUTO_ROLLBACK_FAILED,
        CardState.UNDO_FAILED,
        CardState.ELSEWHERE,
        CardState.CONTRADICTED,
        CardState.UNDELIVERABLE,
    }
)
"""Somebody has to look at CodeDeploy."""


def card_actions(
    view: GateView,
    state: CardState,
    *,
    domain: OwnedDomain | None,
    rule_status: RuleStatus | None,
    texts: Texts,
) -> list[Block]:
    """Empty where nothing can be pressed."""
    block_id = f"card.{view.version}"
    if isinstance(view.gate, Awaiting) and domain is not None:
        return [waiting_actions(view, block_id=block_id, rule_status=rule_status, texts=texts)]
    undo = _undo(view, domain, texts)
    # Before traffic has moved an undo is possible, and seldom meant.
    menu = as_menu(undo) if state is CardState.APPROVED else []
    link = open_codedeploy_button(view, texts=texts) if state in TROUBLE else None
    buttons = [
        *([] if menu else undo),
        *([link] if link else []),
        *_finish(view, state, domain, texts),
        *([details_button(view, texts=texts)] if view.evidence or view.checks else []),
    ]
    return [actions(block_id, *buttons, *menu)] if buttons or menu else []


def waiting_actions(
    view: GateView, *, block_id: str, rule_status: RuleStatus | None, texts: Texts, approved: bool = False
) -> Block:
    """A blocked gate has no Approve button, nor has a list for somebody whose approval is recorded (`approved`)."""
    last = rule_status is not None and rule_status.one_is_enough
    approve = approve_button(
        view,
        texts=texts,
        by_form=rule_status is not None and rule_status.opens_form,
        confirmation=Confirmation.LAST if last else Confirmation.TOWARD,
    )
    return actions(
        block_id,
        *([] if approved or is_blocked(rule_status) else [approve]),
        reject_button(view, texts=texts),
        details_button(view, texts=texts),
        *as_menu(_secondary(view, rule_status, texts)),
    )


def _secondary(view: GateView, rule_status: RuleStatus | None, texts: Texts) -> list[Block]:
    """Withdraw vote if there is a vote, Run checks if there is a probe, Break glass if a rule blocks everybody."""
    link = open_codedeploy_button(view, texts=texts)
    probed = any(check.by == PROBE for check in view.checks)
    return [
        *([retract_vote_button(view, texts=texts)] if view.votes else []),
        *([run_checks_button(view, texts=texts)] if probed else []),
        withdraw_button(view, texts=texts),
        *([break_glass_button(view, texts=texts)] if is_blocked(rule_status) else []),
        *([link] if link else []),
    ]


def _undo(view: GateView, domain: OwnedDomain | None, texts: Texts) -> list[Block]:
    """Of the rollback that the card shows, if there is one: rolling it back returns to the newer version."""
    latest = view.followed_by or view
    kind = undo_kind(latest) if domain is not None and is_let_through(latest) else None
    return (
        [undo_button(latest, kind, names=switch_names(view, texts), texts=texts)] if kind is not None else []
    )


def _finish(view: GateView, state: CardState, domain: OwnedDomain | None, texts: Texts) -> list[Block]:
    """Terminate blue, where the domain allows it and nothing else is under way."""
    at = undo_context_of(view)
    allowed = domain is not None and domain.policy.finish_now and at.progress is Progress.SWITCHED
    if not allowed or state in TROUBLE or at.under_way or at.finishing or at.blue_ends:
        return []
    return [finish_button(view, texts=texts)]
