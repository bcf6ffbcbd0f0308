"""The form in which a deployer withdraws their own switch: what happens, and why, if they want to say."""

from typing import Final

from app.flow.read_models import GateView
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, section
from app.slack.modals.reason_form import reason_form
from app.slack.text.escape import escaped, inline
from app.slack.text.switch import domain_name

WITHDRAW_CALLBACK: Final = "withdraw_reason"


def withdraw_form(view: GateView, *, texts: Texts) -> Block:
    """The modal."""
    says = texts(
        "withdraw.says",
        domain=escaped(domain_name(view, texts)),
        deployment=inline(view.switch.key.deployment),
    )
    return reason_form(
        WITHDRAW_CALLBACK,
        [section(says)],
        title=texts("withdraw.title"),
        label=texts("withdraw.label"),
        hint=texts("reject.hint"),
        submit=texts("withdraw.submit"),
        close=texts("reject.close"),
        metadata=str(ActionValue(gate=view.id, prompt_version=view.prompt_version)),
        optional=True,
    )
