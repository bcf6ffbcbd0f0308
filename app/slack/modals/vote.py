"""The forms that ask for the reason of an approval or a rejection."""

from typing import Final

from app.flow.read_models import GateView
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, section
from app.slack.modals.reason_form import reason_form
from app.slack.text.escape import escaped, inline

APPROVE_CALLBACK: Final = "approve_reason"
REJECT_CALLBACK: Final = "reject_reason"


def approve_form(action_value: ActionValue, *, view: GateView, texts: Texts) -> Block:
    """For policies that require a reason for approvals."""
    domain, deployment = _named(view, texts)
    return reason_form(
        APPROVE_CALLBACK,
        [section(texts("approve.says", domain=domain, deployment=deployment))],
        title=texts("approve.title"),
        label=texts("approve.label"),
        hint=texts("reject.hint"),
        submit=texts("approve.submit"),
        close=texts("reject.close"),
        metadata=str(action_value),
    )


def reject_form(
    action_value: ActionValue, *, view: GateView, texts: Texts, optional: bool = False, more: int = 0
) -> Block:
    """`optional`: the policy requires no reason; `more`: rejections that are missing after this one."""
    domain, deployment = _named(view, texts)
    if more:
        says = texts.plural("reject.counts", count=more, domain=domain, deployment=deployment)
    else:
        says = texts("reject.says", domain=domain, deployment=deployment)
    return reason_form(
        REJECT_CALLBACK,
        [section(says)],
        title=texts("reject.title"),
        label=texts("reject.label"),
        hint=texts("reject.hint"),
        submit=texts("reject.submit"),
        close=texts("reject.close"),
        metadata=str(action_value),
        optional=optional,
    )


def _named(view: GateView, texts: Texts) -> tuple[str, str]:
    domain = view.switch.domain or texts("card.unknown_domain")
    return escaped(domain), inline(view.switch.key.deployment)
