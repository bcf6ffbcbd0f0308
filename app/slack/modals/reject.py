"""The reject form: asks for the reason of a rejection."""

from typing import Final

from app.flow.read_models import GateView
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, modal, section, text_input
from app.slack.text.escape import escaped, inline

REJECT_CALLBACK: Final = "reject_reason"
REASON: Final = "reason"
MAX_REASON_CHARS: Final = 1000


def reject_form(
    action_value: ActionValue, *, view: GateView, texts: Texts, optional: bool = False, more: int = 0
) -> Block:
    """The modal, for this version of the gate. `optional`: the policy requires no reason; `more`: rejections that
    are missing after this one."""
    domain = escaped(view.switch.domain or texts("card.unknown_domain"))
    deployment = inline(view.switch.key.deployment)
    if more:
        says = texts.plural("reject.counts", count=more, domain=domain, deployment=deployment)
    else:
        says = texts("reject.says", domain=domain, deployment=deployment)
    return modal(
        callback=REJECT_CALLBACK,
        title=texts("reject.title"),
        submit=texts("reject.submit"),
        close=texts("reject.close"),
        metadata=str(action_value),
        blocks=[
            section(says),
            text_input(
                block_id=REASON,
                label=texts("reject.label"),
                hint=texts("reject.hint"),
                max_chars=MAX_REASON_CHARS,
                optional=optional,
            ),
        ],
    )


def reject_notice(text: str, *, texts: Texts, title: str | None = None) -> Block:
    """The view that replaces the form when the vote was denied."""
    return modal(
        callback="notice",
        title=title or texts("reject.title"),
        close=texts("reject.close"),
        blocks=[section(text)],
    )
