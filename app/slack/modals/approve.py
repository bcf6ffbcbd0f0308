"""The approve form, for policies that require a reason for approvals."""

from typing import Final

from app.flow.read_models import GateView
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, modal, section, text_input
from app.slack.modals.reject import MAX_REASON_CHARS, REASON
from app.slack.text.escape import escaped, inline

APPROVE_CALLBACK: Final = "approve_reason"


def approve_form(action_value: ActionValue, *, view: GateView, texts: Texts) -> Block:
    """The modal, for this version of the gate."""
    domain = view.switch.domain or texts("card.unknown_domain")
    says = texts("approve.says", domain=escaped(domain), deployment=inline(view.switch.key.deployment))
    return modal(
        callback=APPROVE_CALLBACK,
        title=texts("approve.title"),
        submit=texts("approve.submit"),
        close=texts("reject.close"),
        metadata=str(action_value),
        blocks=[
            section(says),
            text_input(
                block_id=REASON,
                label=texts("approve.label"),
                hint=texts("reject.hint"),
                max_chars=MAX_REASON_CHARS,
            ),
        ],
    )
