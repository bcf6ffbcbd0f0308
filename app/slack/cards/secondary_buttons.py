"""Buttons other than Approve and Reject, on cards and under ephemeral replies."""

from collections.abc import Sequence
from typing import Final

from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, actions, button, section

BREAK_GLASS: Final = "break_glass"
RETRACT_VOTE: Final = "take_back"
WITHDRAW: Final = "withdraw"
RUN_CHECKS: Final = "run_checks"


def break_glass_button(action_value: ActionValue, *, texts: Texts) -> Block:
    """Opens the break-glass form. Only admins may use it; others get a denial."""
    return button(texts("button.break_glass"), action=BREAK_GLASS, value=str(action_value), style="danger")


def retract_vote_button(action_value: ActionValue, *, texts: Texts) -> Block:
    """Retracts the user's own vote."""
    return button(texts("button.take_back"), action=RETRACT_VOTE, value=str(action_value))


def withdraw_button(action_value: ActionValue, *, texts: Texts) -> Block:
    """Opens the form in which the deployer withdraws the switch. Others get a denial."""
    return button(texts("button.withdraw"), action=WITHDRAW, value=str(action_value))


def run_checks_button(action_value: ActionValue, *, texts: Texts) -> Block:
    """Runs the probes again."""
    return button(texts("button.run_checks"), action=RUN_CHECKS, value=str(action_value))


def reply_blocks(text: str, buttons: Sequence[Block]) -> list[Block] | None:
    """A reply with buttons; None if the text is enough."""
    return [section(text), actions("offers", *buttons)] if buttons else None
